"""A conversation outlives its connections: whatever becomes of one, the next one goes on."""

import asyncio
import json
from collections.abc import Callable

import pytest

from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gemini.conversation import FakeSession
from simulator.gemini.script import burst, empty_turn, tool_call
from simulator.gemini.server import FakeGemini
from tests.voicegate.voice.ear import CHUNK, heard, serving
from voicegate.voice.conversation import LOST_CALL, WAITING_CHUNKS
from voicegate.voice.memory import PREFACE
from voicegate.voice.session import (
    GenerationComplete,
    ModelAudio,
    Reconnected,
    Reconnecting,
    Tool,
    ToolCancelled,
    TurnComplete,
    VoiceSetup,
)
from voicegate.voice.turn import GO_ON

pytestmark = pytest.mark.virtual

HANG_UP = Tool("hang_up", "Ends the call.", {})


def never_two_at_once(fake: FakeGemini) -> None:
    """Each connection was closed before the next one came."""
    for before, after in zip(fake.sessions, fake.sessions[1:], strict=False):
        assert before.closed_at_s is not None
        assert before.closed_at_s <= after.opened_at_s


def handle(session: FakeSession) -> str:
    return str(session.setup["sessionResumption"].get("handle", ""))


def prompt(session: FakeSession) -> str:
    return str(session.setup["systemInstruction"]["parts"][0]["text"])


WAYS: dict[str, Callable[[FakeSession], None]] = {
    "close 1000": lambda session: session.close(1000),
    "close 1001": lambda session: session.close(1001),
    "abort": lambda session: session.abort(),
    "close 1008 aborted": lambda session: session.close(1008, "The operation was aborted."),
    "close 1011": lambda session: session.close(1011, "Internal error encountered."),
    "close 1011 old age": lambda session: session.close(1011, "Deadline expired before"),
    "close 1012": lambda session: session.close(1012),
    "go_away": lambda session: session.go_away(60),
    "go_away late": lambda session: session.go_away(0),
}


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "sdk"])
@pytest.mark.parametrize("way", WAYS)
async def test_trap_10_a_lost_connection_is_resumed_and_nothing_is_said_twice(
    fake: FakeGemini, way: str, direct: bool
) -> None:
    fake.on_text(say=speech(1.0), text="Good day.")
    async with serving() as gemini:
        gemini.direct = direct
        async with heard(gemini) as ear:
            await ear.voice.greet("Greet.")
            await ear.until(lambda: ear.of(TurnComplete))
            await asyncio.sleep(1)
            WAYS[way](fake.session(0))
            again = await ear.reconnected()
            fake.session(1).say(speech(1.0))
            await ear.until(lambda: len(ear.of(TurnComplete)) == 2)
    assert again.resumed
    assert again.ms < 1000
    assert fake.session(1).resumed_from == 0
    assert fake.session(1).received["text"] == 0
    never_two_at_once(fake)
    fake.check()


async def test_the_first_connection_asks_for_a_handle_without_having_one(fake: FakeGemini) -> None:
    async with serving() as gemini, heard(gemini):
        assert fake.session(0).setup["sessionResumption"] == {}


async def test_trap_10_the_newest_handle_is_used_and_one_that_is_none_is_not(
    fake: FakeGemini,
) -> None:
    fake.on_text(say=speech(1.0))
    fake.on_connect(session=1)
    async with serving() as gemini, heard(gemini) as ear:
        await ear.voice.greet("Greet.")
        await ear.until(lambda: ear.of(TurnComplete))
        await asyncio.sleep(1)
        fake.session(0).say(speech(9.0))
        await asyncio.sleep(1)
        fake.session(0).abort()  # while it speaks: the last handle said that it cannot be resumed
        await ear.reconnected()
    assert handle(fake.session(1)) == "handle-0-2"


async def test_no_log_tells_a_handle(fake: FakeGemini, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="voicegate")
    async with serving() as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        fake.session(0).abort()
        await ear.reconnected()
    assert handle(fake.session(1))
    assert handle(fake.session(1)) not in caplog.text


async def test_trap_10_a_refused_handle_makes_it_begin_anew_with_what_was_said(
    fake: FakeGemini,
) -> None:
    fake.on_text(say=speech(1.0), text="Good day, what can I do?")
    fake.refuse_setup(1007, "Request contains an invalid argument.", session=1)
    async with serving() as gemini, heard(gemini) as ear:
        await ear.voice.greet("Greet.")
        await ear.until(lambda: ear.of(TurnComplete))
        fake.session(0).hear("A table for two.")
        await asyncio.sleep(1)
        fake.session(0).abort()
        again = await ear.reconnected()
    assert not again.resumed
    assert handle(fake.session(1))
    assert handle(fake.session(2)) == ""
    assert prompt(fake.session(0)) in prompt(fake.session(2))
    assert prompt(fake.session(2)).endswith(
        f"{PREFACE}\nYou: Good day, what can I do?\nCaller: A table for two."
    )
    assert fake.session(2).received["text"] == 0, "the greeting is not replayed"
    never_two_at_once(fake)


async def test_what_was_said_before_a_new_beginning_outlives_the_next_resume(
    fake: FakeGemini,
) -> None:
    async with serving() as gemini, heard(gemini) as ear:
        fake.session(0).hear("My name is Ann.")
        await asyncio.sleep(1)
        ear.voice.renew("it says nothing")
        await ear.reconnected()
        await asyncio.sleep(1)
        fake.session(1).abort()
        again = await ear.reconnected(2)
    assert again.resumed
    assert "My name is Ann." in prompt(fake.session(2))


async def test_a_renewal_is_a_new_beginning_in_which_the_model_speaks(fake: FakeGemini) -> None:
    fake.on_text(say=speech(1.0))
    async with serving() as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        ear.voice.renew("two empty turns")
        ear.voice.renew("two empty turns")
        again = await ear.reconnected()
        await ear.until(lambda: ear.of(TurnComplete))
        ear.voice.renew("again")
        await ear.reconnected(2)
    assert not again.resumed
    assert [event.why for event in ear.of(Reconnecting) if isinstance(event, Reconnecting)] == [
        "two empty turns",
        "again",
    ]
    assert handle(fake.session(1)) == ""
    assert fake.session(1).inputs.texts == [GO_ON]
    never_two_at_once(fake)


async def test_a_reply_that_was_cut_off_is_gone_on_with(fake: FakeGemini) -> None:
    fake.on_text(burst(stamps(every_s=0.5, count=40), 2.0), session=0)
    fake.on_text(say=speech(1.0), session=1)
    async with serving() as gemini, heard(gemini) as ear:
        await ear.voice.greet("Greet.")
        await asyncio.sleep(3)
        fake.session(0).abort()
        await ear.reconnected()
        await ear.until(lambda: ear.of(TurnComplete))
    before = ear.events[: ear.events.index(ear.of(Reconnecting)[0])]
    assert before[-1] == GenerationComplete(), "no more of the cut turn will come"
    assert fake.session(1).inputs.texts == [GO_ON]


async def test_a_greeting_that_nobody_heard_is_asked_for_again(fake: FakeGemini) -> None:
    fake.on_text(session=0)
    fake.on_text(say=speech(1.0), session=1)
    async with serving() as gemini, heard(gemini) as ear:
        await ear.voice.greet("Greet.")
        await asyncio.sleep(0.5)
        fake.session(0).abort()
        await ear.until(lambda: ear.of(ModelAudio))
    assert fake.session(1).inputs.texts == ["Greet."]


async def test_words_for_the_model_wait_for_the_next_connection(fake: FakeGemini) -> None:
    fake.refuse(503, times=1)
    async with serving() as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        fake.refuse(503, times=1)
        fake.session(0).abort()
        await ear.until(lambda: ear.of(Reconnecting))
        await ear.voice.send_text("The caller pressed 5.")
        await ear.reconnected()
        await fake.until(lambda: fake.session(1).inputs.texts == ["The caller pressed 5."])


async def test_the_switch_waits_for_the_end_of_the_turn(fake: FakeGemini) -> None:
    fake.on_text(say=speech(8.0))
    async with serving() as gemini, heard(gemini) as ear:
        await ear.voice.greet("Speak.")
        await ear.until(lambda: ear.of(ModelAudio))
        fake.session(0).go_away(60)
        await ear.reconnected()
        kinds = [type(event) for event in ear.events if not isinstance(event, ModelAudio)]
        assert kinds.index(TurnComplete) < kinds.index(Reconnecting)
        said_s = sum(len(e.pcm16) for e in ear.events if isinstance(e, ModelAudio)) / 48000
    assert said_s == pytest.approx(8.0, abs=0.1)
    assert fake.session(1).received["text"] == 0
    assert handle(fake.session(1)) == "handle-0-2", "the one that knows of the turn"


async def test_trap_10_the_switch_comes_ten_seconds_before_the_end_whoever_speaks(
    fake: FakeGemini,
) -> None:
    """By a timer of our own: the service says nothing more."""
    loop = asyncio.get_running_loop()
    async with serving() as gemini, heard(gemini) as ear:
        fake.session(0).say(stamps(every_s=0.5, count=200))
        await ear.until(lambda: ear.of(ModelAudio))
        fake.session(0).go_away(30)
        warned_at = loop.time()
        await asyncio.sleep(0.5)
        fake.session(0).stall(600)
        await ear.reconnected()
        assert loop.time() - warned_at == pytest.approx(20, abs=2.5)
    assert fake.session(1).inputs.texts == [GO_ON]


async def test_the_switch_lets_the_caller_finish(fake: FakeGemini) -> None:
    fake.on_speech(say=speech(2.0))
    said = sequence(speech(3.0), silence_for(6.0)).pcm(1, 16000).tobytes()
    chunks = (said[at : at + 1280] for at in range(0, len(said), 1280))
    async with serving() as gemini, heard(gemini, quiet=False) as ear:
        asyncio.get_running_loop().call_later(0.5, lambda: fake.session(0).go_away(60))
        await ear.speak(chunks)
        await ear.reconnected()
    assert fake.session(0).utterances == 1
    assert len(ear.of(TurnComplete)) == 1, "and be answered"
    assert fake.session(1).received["text"] == 0


async def test_an_end_without_a_warning_is_not_waited_for(fake: FakeGemini) -> None:
    """The 3.8 models close at 58 minutes without goAway."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.limit_s = 4000.0  # type: ignore[attr-defined]
    async with serving() as gemini, heard(gemini, quiet=False) as ear:
        await ear.until(lambda: ear.of(Reconnected), within_s=3475)
        again = await ear.reconnected()
    assert again.resumed
    assert fake.session(0).closed == (1000, "")


async def test_what_the_caller_says_meanwhile_comes_in_order_and_once(fake: FakeGemini) -> None:
    said = stamps(every_s=0.5, count=30).pcm(7, 16000).tobytes()
    chunks = [said[at : at + 1280] for at in range(0, len(said), 1280)]
    async with serving() as gemini, heard(gemini, quiet=False) as ear:
        asyncio.get_running_loop().call_later(4.2, lambda: fake.session(0).close(1000))
        await ear.speak(iter(chunks))
    numbers = [stamp.sequence for s in fake.sessions for stamp in s.heard.stamps()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 28
    fake.check()


async def test_of_what_waits_the_oldest_is_dropped_and_counted(fake: FakeGemini) -> None:
    async with serving() as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        fake.stall_setup(6.0, session=1)
        fake.session(0).abort()
        await ear.reconnected()
        await asyncio.sleep(0.1)
        dropped = ear.voice.uplink_dropped  # type: ignore[attr-defined]
    assert dropped == pytest.approx(6.0 / 0.04 - WAITING_CHUNKS, abs=5)
    assert fake.session(1).received["audio"] == pytest.approx(WAITING_CHUNKS + 3, abs=3)


async def test_a_lost_tool_call_is_answered_with_an_error_before_anything_else(
    fake: FakeGemini,
) -> None:
    fake.on_text(tool_call("hang_up", "call-1"), session=0)
    async with serving() as gemini, heard(gemini, VoiceSetup(tools=(HANG_UP,))) as ear:
        await asyncio.sleep(1)
        await ear.voice.send_text("Call.")
        await asyncio.sleep(1)
        fake.session(0).abort()
        await ear.reconnected()
        assert ear.of(ToolCancelled) == [ToolCancelled(("call-1",))]
        await ear.voice.send_tool_result("call-1", "hang_up", {"output": "late"})
        await asyncio.sleep(1)
    entries = [e for e in fake.journal.of(1) if e.direction == "in" and e.kind != "setup"]
    assert entries[0].kind == "toolResponse"
    assert LOST_CALL["error"] in entries[0].detail
    assert fake.session(1).received["toolResponse"] == 1
    fake.check()


async def test_a_new_beginning_knows_of_no_tool_call(fake: FakeGemini) -> None:
    fake.on_text(tool_call("hang_up", "call-1"), session=0)
    async with serving() as gemini, heard(gemini, VoiceSetup(tools=(HANG_UP,))) as ear:
        await ear.voice.send_text("Call.")
        await asyncio.sleep(1)
        ear.voice.renew("it says nothing")
        await ear.reconnected()
        await ear.voice.send_tool_result("call-1", "hang_up", {"output": "late"})
        await asyncio.sleep(1)
    assert fake.session(1).received["toolResponse"] == 0
    fake.check()


async def test_after_thirty_seconds_without_the_model_it_is_over(fake: FakeGemini) -> None:
    loop = asyncio.get_running_loop()
    async with serving() as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        fake.refuse(503)
        fake.session(0).abort()
        lost_at = loop.time()
        await ear.until(lambda: ear.lost)
        assert 25 <= loop.time() - lost_at <= 30
        await ear.voice.send_audio(CHUNK)  # does not raise: the listener is told
    assert "HTTP 503" in str(ear.lost)
    assert 8 <= fake.entrance.refused_upgrades <= 11


async def test_a_service_that_falls_silent_costs_no_more_than_the_budget(fake: FakeGemini) -> None:
    loop = asyncio.get_running_loop()
    async with serving() as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        fake.stall_setup()
        fake.session(0).abort()
        lost_at = loop.time()
        await ear.until(lambda: ear.lost)
        assert loop.time() - lost_at <= 31.5


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "sdk"])
@pytest.mark.parametrize(
    ("code", "reason", "tries"),
    [
        (1007, "Missing or malformed auth token.", 0),
        (1007, "Request contains an invalid argument.", 1),
        (1008, "models/x is not found for API version v1beta", 0),
    ],
)
async def test_trap_11_the_same_payload_is_never_sent_twice(
    fake: FakeGemini, code: int, reason: str, tries: int, direct: bool
) -> None:
    async with serving() as gemini:
        gemini.direct = direct
        async with heard(gemini) as ear:
            await asyncio.sleep(1)
            fake.refuse_setup(code, reason)
            fake.session(0).close(code, reason)
            await ear.until(lambda: ear.lost)
    assert f"{code} {reason}" in str(ear.lost)
    assert len(fake.sessions) == 1 + tries


@pytest.mark.parametrize(
    ("settings", "code", "reason", "tries"),
    [
        ({"on_quota": "give_up"}, 1011, "You exceeded your current quota", 0),
        ({"on_internal_error": "give_up"}, 1011, "Internal error encountered.", 0),
        ({"reconnect_budget_s": 0}, 1000, "", 0),
        ({"on_internal_error": "resume"}, 1011, "Internal error encountered.", 1),
        ({}, 1011, "You exceeded your current quota", 1),
    ],
)
async def test_trap_11_settings_decide_what_is_in_doubt(
    fake: FakeGemini, settings: dict[str, object], code: int, reason: str, tries: int
) -> None:
    async with serving(**settings) as gemini, heard(gemini) as ear:
        await asyncio.sleep(1)
        fake.session(0).close(code, reason)
        await ear.until(lambda: ear.lost or ear.of(Reconnected))
        assert len(fake.sessions) == 1 + tries
        quota = "quota" in reason and tries
        waited_ms = [event.ms for event in ear.of(Reconnected) if isinstance(event, Reconnected)]
        assert all((ms >= 4000) == bool(quota) for ms in waited_ms)


async def test_an_empty_turn_is_no_reason_to_leave(fake: FakeGemini) -> None:
    fake.on_text(empty_turn("RESPONSE_REJECTED"))
    async with serving() as gemini, heard(gemini) as ear:
        await ear.voice.send_text("Speak.")
        await ear.until(lambda: ear.of(TurnComplete))
        await asyncio.sleep(1)
    assert len(fake.sessions) == 1


def test_the_answer_to_a_lost_call_is_json() -> None:
    assert json.loads(json.dumps(LOST_CALL)) == LOST_CALL
