"""The board of calls, by the calls themselves."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from simulator.audio.sound import speech
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import say
from simulator.gemini.server import FakeGemini
from voicegate.admin.board import LINE_CHARS, LINES, STUCK_S, Board
from voicegate.call import Call, Progress
from voicegate.gateway import Gateway
from voicegate.story import Happening, Story

pytestmark = pytest.mark.virtual


class FakeDialog:
    """As much of a dialog as the board reads."""

    received_at = 0.0
    is_ours = False
    call_id, caller, called = "id", "0888123456", "1000"


class FakeCall:
    """A call whose story is told by the test."""

    def __init__(self) -> None:
        self.now = 0.0
        self.story = Story(lambda: self.now)
        self.dialog = FakeDialog()
        self.progress = Progress()
        self.is_over = False


@pytest.fixture
def call() -> FakeCall:
    return FakeCall()


@pytest.fixture
def board(call: FakeCall) -> Iterator[Board]:
    board = Board(lambda: call.now, 3600.0)
    with board.watching(1, cast(Call, call)):
        yield board


def seen(board: Board) -> dict[str, Any]:
    [picture] = board.pictures()
    return picture


def test_state_and_speakers_follow_the_story(board: Board, call: FakeCall) -> None:
    assert (seen(board)["state"], seen(board)["caller"]) == ("arriving", "******3456")
    for what, state, speaks in [
        (Happening.RINGING, "ringing", []),
        (Happening.ANSWERED, "talking", []),
        (Happening.CALLER_SPEAKS, "talking", ["caller"]),
        (Happening.MODEL_SPEAKS, "talking", ["caller", "model"]),
        (Happening.CALLER_SILENT, "talking", ["model"]),
        (Happening.HELD, "held", ["model"]),
        (Happening.RECONNECTING, "reconnecting", ["model"]),
        (Happening.RECONNECTED, "talking", ["model"]),
    ]:
        call.story.tell(what)
        assert (seen(board)["state"], seen(board)["speaks"]) == (state, speaks), what
    call.is_over = True
    assert seen(board)["state"] == "closing"
    assert board.tally.reconnects == 1


def test_of_a_call_of_ours_the_number_called_is_masked(board: Board, call: FakeCall) -> None:
    assert (seen(board)["direction"], seen(board)["called"]) == ("in", "1000")
    call.dialog.is_ours, call.dialog.called = True, "0888123456"
    assert (seen(board)["direction"], seen(board)["called"]) == ("out", "******3456")


def test_fragments_become_lines_and_lines_are_bounded(board: Board, call: FakeCall) -> None:
    call.story.tell(Happening.CALLER_SAID, text="Good ")
    call.story.tell(Happening.CALLER_SAID, text="day")
    call.story.tell(Happening.MODEL_SAID, text="Hello")
    assert seen(board)["transcript"] == [
        {"who": "caller", "text": "Good day"},
        {"who": "model", "text": "Hello"},
    ]
    call.story.tell(Happening.TOOL_CALLED, name="look_up", id="1")
    assert seen(board)["transcript"][-1] == {"who": "tool", "text": "look_up"}
    for _ in range(100):
        call.story.tell(Happening.CALLER_SAID, text="a" * 50)
        call.story.tell(Happening.MODEL_SAID, text="b" * 5000)
        call.story.tell(Happening.MODEL_SAID, text="b")
    lines = seen(board)["transcript"]
    assert len(lines) == LINES
    assert all(len(line["text"]) <= LINE_CHARS for line in lines)


def test_an_interruption_is_timed_from_the_callers_first_word(board: Board, call: FakeCall) -> None:
    call.story.tell(Happening.INTERRUPTED)
    call.now = 10.0
    call.story.tell(Happening.CALLER_SPEAKS)
    call.now = 10.3
    call.story.tell(Happening.INTERRUPTED)
    call.story.tell(Happening.INTERRUPTED)
    assert board.tally.barge_in_stop.buckets()[-1][1] == 1
    assert board.tally.barge_in_stop.sum == pytest.approx(0.3)


def test_alarms_are_counted_by_their_word(board: Board, call: FakeCall) -> None:
    call.story.tell(Happening.ALARM, what="near_silent")
    assert board.tally.alarms["near_silent"] == 1


@pytest.mark.parametrize("how", ["closing for too long", "longer than the longest call"])
def test_a_stuck_call_is_counted_once(how: str, board: Board, call: FakeCall) -> None:
    call.now = 100.0
    call.is_over = how == "closing for too long"
    board.look_for_stuck()
    call.now += STUCK_S if call.is_over else 3500.0 + STUCK_S
    board.look_for_stuck()
    assert board.tally.stuck == 0
    call.now += 1.0
    board.look_for_stuck()
    board.look_for_stuck()
    assert board.tally.stuck == 1


async def test_a_call_as_it_runs_and_when_it_is_over(
    gateway: Gateway, gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_text(say(speech(2.0), "Good day"))
    async with gate.dial("1000") as call:
        await call.lasts(1.5)
        running = seen(gateway.board)
        assert running["state"] == "talking"
        assert running["speaks"] == ["model"]
        assert running["transcript"] == [{"who": "model", "text": "Good day"}]
        assert running["levels"]["model"] > -40
        assert running["levels"]["caller"] < -60
    await asyncio.sleep(2)
    assert gateway.board.running == {}
    [over] = gateway.board.recent()
    assert over["reason"] == "caller_bye"
    assert over["levels"]["out"] > -40
    assert over["levels"]["in"] == -96.0
    assert "transcript" not in over
