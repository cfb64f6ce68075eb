"""A connection to the model is lost or about to be: the caller hears the model again, and once.

Whatever ends it, there is never a second one beside it, nothing is heard twice, and what the caller
says meanwhile reaches the model in order.
"""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from scenarios.trouble import World
from simulator.audio.levels import dbfs
from simulator.audio.sound import speech, stamps
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

STAMPS = stamps(every_s=0.5)
TURN = stamps(every_s=0.5, count=4)
SILENCE_MAX_S = 1.5
RATE_HZ = 8000
ENTITY = "Requested entity was not found."
ABORTED = "The operation was aborted."
INVALID = "Request contains an invalid argument."
DEADLINE = "Deadline expired before operation could complete."
INTERNAL = "Internal error encountered."
EXPIRED = "BidiGenerateContent session expired."


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


def now() -> float:
    return asyncio.get_running_loop().time()


def one_after_the_other(gemini: FakeGemini) -> None:
    """Never two sessions at once."""
    for before, after in itertools.pairwise(gemini.sessions):
        assert before.closed_at_s is not None
        assert before.closed_at_s <= after.opened_at_s


def heard_once(call: SimulatedCall, gemini: FakeGemini) -> None:
    """Nothing is repeated at either ear, and all comes in order."""
    heard = [(stamp.identity, stamp.sequence) for stamp in call.heard.stamps()]
    assert heard == sorted(set(heard)), heard
    said = [stamp.sequence for session in gemini.sessions for stamp in session.heard.stamps()]
    assert said == sorted(set(said)), said


def each_connection_says_a_turn(gemini: FakeGemini) -> None:
    """The first one when it is asked to greet, each other one by itself."""
    gemini.on_text(say=TURN, session=0)
    gemini.on_text()
    gemini.on_connect(session=0)
    gemini.on_connect(say=TURN)


def silence_s(call: SimulatedCall, lost_at_s: float) -> float:
    """How long the caller waited for the next model after the last one was lost."""
    starts = [stamp.at_s for stamp in call.heard.stamps()]
    return min(at_s for at_s in starts if at_s > lost_at_s) - lost_at_s


CLOSED: dict[str, tuple[int, str, bool]] = {
    "1000": (1000, "", True),
    "1001": (1001, "", True),
    "1006 cut": (1006, "", True),
    "1007": (1007, INVALID, False),
    "1008 policy": (1008, EXPIRED, False),
    "1008 aborted": (1008, ABORTED, True),
    "1008 unknown call": (1008, ENTITY, True),
    "1011": (1011, INTERNAL, True),
    "1011 old age": (1011, DEADLINE, True),
    "1012": (1012, "", True),
    "1013": (1013, "", True),
    "1014": (1014, "", True),
}
"""Code, reason, and whether the conversation is taken up again (else it begins anew)."""


@pytest.mark.parametrize("case", CLOSED)
@pytest.mark.thorough(but=3)
async def test_close_code_in_mid_call_is_not_the_end_of_it(world: World, case: str) -> None:
    code, reason, resumed = CLOSED[case]
    gemini = world.gemini
    gemini.always(say=STAMPS)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1.2)
        gemini.session(0).close(code, reason)
        await gemini.connected(1)
        lost_at_s = gemini.session(0).closed_at_s
        await call.lasts(1.4)
    assert gemini.session(1).resumed_from == (0 if resumed else None)
    assert lost_at_s is not None
    assert silence_s(call, lost_at_s) <= SILENCE_MAX_S
    assert {stamp.identity for stamp in call.heard.stamps()} == {128, 129}
    heard_once(call, gemini)
    one_after_the_other(gemini)
    await world.nothing_is_left(f"a connection closed with {case}")


REFUSED: dict[str, tuple[Callable[[FakeGemini], None], bool]] = {
    "close_code 1007": (lambda gemini: gemini.refuse_setup(1007, INVALID, times=1), False),
    "close_code 1008": (lambda gemini: gemini.refuse_setup(1008, EXPIRED, times=1), False),
    "close_code 1011 once": (lambda gemini: gemini.refuse_setup(1011, INTERNAL, times=1), True),
    "close_code 1011 twice": (lambda gemini: gemini.refuse_setup(1011, INTERNAL, times=2), False),
    "HTTP 503": (lambda gemini: gemini.refuse(503, times=2), True),
    "HTTP 429": (lambda gemini: gemini.refuse(429, times=1), True),
    "cut": (lambda gemini: gemini.refuse_setup(1006, times=1), True),
}
"""What stands in the way of the next connection, and whether the handle still serves after it."""


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.thorough(but=2)
async def test_resume_that_is_refused_is_tried_as_the_fault_asks_for(
    world: World, case: str
) -> None:
    obstruct, resumed = REFUSED[case]
    gemini = world.gemini
    gemini.always(say=STAMPS)
    async with world.gate.dial("1000") as call:
        await call.lasts(1.2)
        obstruct(gemini)
        gemini.session(0).abort()
        await gemini.until(lambda: sum(s.ready_at_s is not None for s in gemini.sessions) == 2, 12)
        await call.lasts(1.5)
    last = gemini.sessions[-1]
    assert (last.resumed_from is not None) == resumed
    assert bool(last.setup["sessionResumption"].get("handle")) == resumed
    assert {stamp.identity for stamp in call.heard.stamps()} == {128, last.identity}
    one_after_the_other(gemini)
    await world.nothing_is_left(f"a resume that met {case}")


async def test_resume_that_takes_long_is_filled_with_a_soft_sound(world: World) -> None:
    gemini = world.gemini
    gemini.always(say=STAMPS)
    async with world.gate.dial("1000") as call:
        await call.lasts(2)
        gemini.refuse(503, times=3)
        gemini.session(0).abort()
        lost_at_s = now()
        await gemini.connected(1)
        back_at_s = now()
        await call.lasts(1)
    assert back_at_s - lost_at_s > 3
    meanwhile = call.heard.pcm(RATE_HZ, lost_at_s + 1.3, back_at_s - 0.1)
    levels = [dbfs(meanwhile[at : at + 160]) for at in range(0, len(meanwhile) - 160, 160)]
    assert min(levels) > -65, "a dead line"
    assert max(levels) < -28, "no soft sound"


async def test_go_away_between_turns_is_not_heard(world: World) -> None:
    gemini = world.gemini
    each_connection_says_a_turn(gemini)
    async with world.gate.dial("1000") as call:
        await call.lasts(4)
        gemini.session(0).go_away(50)
        warned_at_s = now()
        await call.lasts(4)
    assert gemini.session(1).resumed_from == 0
    assert silence_s(call, warned_at_s) <= SILENCE_MAX_S
    heard_once(call, gemini)
    one_after_the_other(gemini)
    await world.nothing_is_left("a switch between turns")


async def test_go_away_in_mid_turn_lets_the_turn_end(world: World) -> None:
    gemini = world.gemini
    gemini.on_text(say=stamps(every_s=0.5, count=8))
    async with world.gate.dial("1000") as call:
        await call.lasts(2)
        gemini.session(0).go_away(50)
        await call.lasts(5)
    own = [stamp.sequence for stamp in call.heard.stamps()]
    assert own == list(range(8))
    assert len(gemini.sessions) == 2
    assert gemini.session(1).received["text"] == 0, "nothing is asked for twice"


async def test_trap_10_go_away_is_obeyed_ten_seconds_before_the_end_by_a_clock_of_our_own(
    world: World,
) -> None:
    """The model speaks on and on, and the service falls silent after its warning."""
    gemini = world.gemini
    gemini.always(say=STAMPS)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1)
        session = gemini.session(0)
        session.go_away(14)
        await call.lasts(0.5)
        session.stall(60)
        await call.lasts(2)
        assert len(gemini.sessions) == 1
        await call.lasts(5)
    assert len(gemini.sessions) == 2
    assert session.closed_at_s is not None
    heard_once(call, gemini)
    one_after_the_other(gemini)


Step = Callable[[FakeGemini, FakeSession], None]


def warned(_: FakeGemini, session: FakeSession) -> None:
    session.go_away(50)


def cut(_: FakeGemini, session: FakeSession) -> None:
    session.abort()


def handle_refused(gemini: FakeGemini, session: FakeSession) -> None:
    gemini.refuse_setup(1007, INVALID, times=1)
    session.abort()


STEPS: tuple[Step, ...] = (
    warned, cut, warned, warned, handle_refused, cut, warned, warned, warned,
)  # fmt: skip
APART_S = 7.0


@pytest.mark.virtual_limit(200)
@pytest.mark.thorough
async def test_go_away_six_times_two_cuts_and_a_refused_handle_in_one_call(world: World) -> None:
    """What an hour brings, without the quiet between: the caller hears one conversation."""
    gemini = world.gemini
    each_connection_says_a_turn(gemini)
    silences = []
    async with world.gate.dial("1000") as call:
        for step in STEPS:
            await call.lasts(APART_S)
            step(gemini, gemini.sessions[-1])
            silences.append(now())
        await call.lasts(4)
    carrying = [session for session in gemini.sessions if session.ready_at_s is not None]
    assert len(carrying) == len(STEPS) + 1
    assert [session.resumed_from is None for session in carrying].count(True) == 2
    assert max(silence_s(call, at_s) for at_s in silences) <= SILENCE_MAX_S
    heard = [(stamp.identity, stamp.sequence) for stamp in call.heard.stamps()]
    assert heard == [(s.identity, number) for s in carrying for number in range(4)]
    one_after_the_other(gemini)
    await world.nothing_is_left("a call of many connections")


async def test_resume_in_mid_sentence_loses_nothing_the_caller_says(world: World) -> None:
    """What is said while there is no connection waits, the newest two seconds of it."""
    gemini = world.gemini
    gemini.on_text(say=speech(1.0))
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(3.2)
        gemini.stall_setup(1.0, session=1)
        gemini.session(0).close(1000)
        await call.lasts(4)
    numbers = [stamp.sequence for s in gemini.sessions for stamp in s.heard.stamps()]
    assert numbers == sorted(set(numbers))
    missing = set(range(numbers[0], numbers[-1])) - set(numbers)
    assert len(missing) <= 1, f"only the one that was cut may be lost: {sorted(missing)}"
