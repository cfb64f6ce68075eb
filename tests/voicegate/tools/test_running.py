"""Tools run beside the sound: answered once whatever they do, and none is left behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from tests.voicegate import stage as stage_module
from voicegate.endings import SilenceClock
from voicegate.settings import ToolsSettings
from voicegate.story import Event, Happening, Story
from voicegate.tools import running as running_module
from voicegate.tools.running import MAX_OPEN, ToolRuns, running
from voicegate.tools.tool import CallableTool, OnCall, ToolFailed, Toolset
from voicegate.voice.session import Tool, ToolCall, ToolCancelled, VoiceError

pytestmark = pytest.mark.virtual

Arguments = Mapping[str, object]


class FakeVoice(stage_module.FakeVoice):
    """Keeps the answers; `lost` once the conversation is over."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, Mapping[str, object]]] = []
        self.lost = False

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        if self.lost:
            raise VoiceError("lost")
        self.answers.append((call_id, result))


async def echo(arguments: Arguments, on: OnCall) -> object:
    return arguments


async def slow(arguments: Arguments, on: OnCall) -> object:
    await asyncio.sleep(60)
    return "never"


async def refusing(arguments: Arguments, on: OnCall) -> object:
    raise ToolFailed("no such order")


async def broken(arguments: Arguments, on: OnCall) -> object:
    raise RuntimeError("a bug of the user")


async def stubborn(arguments: Arguments, on: OnCall) -> object:
    for _ in range(2):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            continue
    return "at last"


async def no_json(arguments: Arguments, on: OnCall) -> object:
    return object()


RUNS = (echo, slow, refusing, broken, stubborn, no_json)
TOOLS = {run.__name__: CallableTool(Tool(run.__name__, "", {}), run, 5.0) for run in RUNS}


class Stage:
    """Tools of a call that is none."""

    def __init__(self, on_call: OnCall, **limits: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.voice = FakeVoice()
        self.silence = SilenceClock(self.loop.time(), 15.0)
        self.story = Story(self.loop.time)
        self.told: list[Event] = []
        self.story.listen(self.told.append)
        toolset = Toolset(TOOLS, on_call.workshop, ToolsSettings.model_validate(limits))
        self.runs = ToolRuns(toolset, self.voice, on_call, silence=self.silence, story=self.story)

    def ask(self, name: str, call_id: str = "1", **arguments: object) -> None:
        self.runs.heed(ToolCall(call_id, name, arguments))

    @property
    def what(self) -> list[Happening]:
        return [event.what for event in self.told]


@asynccontextmanager
async def stage(on_call: OnCall, **limits: int) -> AsyncIterator[Stage]:
    before = asyncio.all_tasks()
    staged = Stage(on_call, **limits)
    async with running(staged.runs):
        yield staged
    assert asyncio.all_tasks() == before


async def test_a_tool_is_run_and_answered(on_call: OnCall) -> None:
    async with stage(on_call) as on:
        on.ask("echo", a_b=1)
        await asyncio.sleep(1)
    assert on.voice.answers == [("1", {"a_b": 1})]
    assert on.what == [Happening.TOOL_CALLED, Happening.TOOL_ANSWERED]
    assert on.told[1].fields == {"name": "echo", "id": "1", "ms": 0, "ok": True}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_tool", "there is no tool of this name"),
        ("refusing", "no such order"),
        ("broken", "the tool failed"),
        ("no_json", "the tool failed"),
        ("slow", "no result within 5 s"),
    ],
)
async def test_whatever_goes_wrong_the_model_is_told(
    on_call: OnCall, name: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(on_call) as on:
        on.ask(name)
        await asyncio.sleep(10)
    assert on.voice.answers == [("1", {"error": says})]
    assert on.told[-1].fields["ok"] is False
    loud = [one for one in caplog.records if one.levelname == "ERROR"]
    assert bool(loud) is (says == "the tool failed")


async def test_one_id_is_answered_once(on_call: OnCall) -> None:
    async with stage(on_call) as on:
        on.ask("echo")
        on.ask("echo")
        await asyncio.sleep(1)
        on.ask("echo")
        await asyncio.sleep(1)
    assert len(on.voice.answers) == 1
    assert on.what == [Happening.TOOL_CALLED, Happening.TOOL_ANSWERED]


async def test_a_cancelled_tool_ends_and_is_not_answered(on_call: OnCall) -> None:
    async with stage(on_call) as on:
        on.ask("slow")
        await asyncio.sleep(1)
        on.runs.heed(ToolCancelled(("1", "unknown")))
        await asyncio.sleep(0.1)
        assert not on.silence.paused
        await asyncio.sleep(10)
    assert on.voice.answers == []
    assert on.what == [Happening.TOOL_CALLED, Happening.TOOL_CANCELLED]


async def test_more_than_may_run_at_once_are_told_to_wait(on_call: OnCall) -> None:
    async with stage(on_call, at_once=2) as on:
        for number in range(3):
            on.ask("slow", str(number))
        await asyncio.sleep(1)
        [(call_id, result)] = on.voice.answers
        assert call_id == "2"
        assert "too many" in str(result["error"])
        await asyncio.sleep(9)
    assert [call_id for call_id, _ in on.voice.answers[1:]] in (["0", "1"], ["1", "0"])


async def test_a_flood_is_bounded_and_counted(on_call: OnCall) -> None:
    async with stage(on_call) as on:
        for number in range(MAX_OPEN + 5):
            on.ask("slow", str(number))
        assert on.runs.dropped == 5
        await asyncio.sleep(1)
        assert len(asyncio.all_tasks()) < MAX_OPEN


async def test_the_end_of_the_call_is_the_end_of_its_tools(on_call: OnCall) -> None:
    async with stage(on_call) as on:
        on.ask("slow")
        await asyncio.sleep(1)
        left_at = on.loop.time()
    assert on.loop.time() == left_at
    assert on.voice.answers == []


async def test_a_tool_that_will_not_end_holds_the_call_for_a_moment_only(
    on_call: OnCall, caplog: pytest.LogCaptureFixture
) -> None:
    staged = Stage(on_call)
    async with running(staged.runs):
        staged.ask("stubborn")
        await asyncio.sleep(1)
        left_at = staged.loop.time()
    assert staged.loop.time() == left_at + running_module.LETTING_GO_S
    assert "does not end when it is cancelled" in caplog.text
    await asyncio.sleep(20)


async def test_an_answer_that_nobody_takes_is_no_fault(
    on_call: OnCall, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(on_call) as on:
        on.voice.lost = True
        on.ask("echo")
        await asyncio.sleep(1)
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_trap_8_the_clock_of_silence_stands_while_a_tool_runs(on_call: OnCall) -> None:
    async with stage(on_call) as on:
        on.ask("slow")
        on.ask("echo", "2")
        await asyncio.sleep(1)
        assert on.silence.paused
        await asyncio.sleep(5)
        assert not on.silence.paused
        assert on.silence.quiet_since == pytest.approx(on.loop.time() - 1.0)
