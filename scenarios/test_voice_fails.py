"""The voice fails: before the answer a quick 503, after it a BYE, and always a next call."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from scenarios.trouble import STAMPS, World
from simulator.audio.sound import speech
from simulator.gate.caller import CallRefused, SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.authority import kept_authority
from simulator.gemini.conversation import FakeSession
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

REFUSED_WITHIN_S = 8.5
"""The caller hears ringing so long at the most; then the gate may try elsewhere."""
TRIES = 2
PERMANENT_STATUS, PERMANENT_CODES = (401, 403, 404), (1007, 1008)
"""What the same request would meet again: key, model, set-up."""
BYE_WITHIN_S = 35.0
"""A gateway may try for 30 s to find the model again."""
NOTICED_WITHIN_S = 85.0
"""A connection of which nothing comes any more shows by pings alone: 20 s and 60 s."""
MESSAGE_OCTETS_MAX = 16 << 20

Trouble = Callable[[FakeGemini, Path], AbstractAsyncContextManager[None]]


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


# Before the answer


def refused(status: int) -> Trouble:
    """The HTTP upgrade is refused."""

    @asynccontextmanager
    async def trouble(gemini: FakeGemini, _: Path) -> AsyncIterator[None]:
        gemini.refuse(status)
        yield
        gemini.entrance.obstacles.clear()

    return trouble


def closed_at_setup(code: int) -> Trouble:
    """The setup is answered with a close; 1006: with none, the connection is cut."""

    @asynccontextmanager
    async def trouble(gemini: FakeGemini, _: Path) -> AsyncIterator[None]:
        gemini.refuse_setup(code, "no")
        yield
        gemini.entrance.obstacles.clear()

    return trouble


@asynccontextmanager
async def nobody_listens(gemini: FakeGemini, _: Path) -> AsyncIterator[None]:
    """The TCP port is shut."""
    async with gemini.door.locked():
        yield


@asynccontextmanager
async def strange_certificate(gemini: FakeGemini, folder: Path) -> AsyncIterator[None]:
    """Somebody stands there whom nobody knows."""
    async with gemini.door.showing(kept_authority(folder)):
        yield


@asynccontextmanager
async def no_word(gemini: FakeGemini, _: Path) -> AsyncIterator[None]:
    """setupComplete never comes."""
    gemini.stall_setup()
    yield
    gemini.entrance.obstacles.clear()


BEFORE: dict[str, dict[str, tuple[Trouble, int]]] = {
    "http": {
        f"HTTP {status}": (refused(status), 1 if status in PERMANENT_STATUS else TRIES)
        for status in (401, 403, 404, 429, 500, 503)
    },
    "close_code": {
        f"close {code}": (closed_at_setup(code), 1 if code in PERMANENT_CODES else TRIES)
        for code in (1000, 1001, 1006, 1007, 1008, 1011)
    },
    "unreachable": {
        "TCP refused": (nobody_listens, 0),
        "TLS not trusted": (strange_certificate, 0),
        "no setupComplete": (no_word, 1),
    },
}
"""What goes wrong, and how often a gateway may try (where the service sees it)."""


@pytest.mark.parametrize("kind", BEFORE)
@pytest.mark.thorough(but=1)
async def test_before_the_answer_it_is_503(world: World, tmp_path: Path, kind: str) -> None:
    gemini = world.gemini
    for case, (trouble, tries) in BEFORE[kind].items():
        tried_before = gemini.entrance.refused_upgrades + len(gemini.sessions)
        async with trouble(gemini, tmp_path):
            world.witness.baseline()  # the door that is shut or new is none of the gateway's
            call = await world.gate.dial("1000", until="sent")
            with pytest.raises(CallRefused) as refusal:
                await call.answered(within_s=60)
            await world.nothing_is_left(case)
        assert (case, refusal.value.status) == (case, 503)
        assert refusal.value.retry_after_s is not None, case
        assert call.ended_at is not None
        assert call.invited_at is not None
        assert call.ended_at - call.invited_at <= REFUSED_WITHIN_S, case
        tried = gemini.entrance.refused_upgrades + len(gemini.sessions) - tried_before
        assert (case, tried) == (case, tries)
        await world.next_call_is_heard()


# After it


async def caller_talks(world: World) -> tuple[SimulatedCall, FakeSession]:
    """A call in which the caller goes on talking, so that it is not silence that ends it."""
    number = len(world.gemini.sessions)
    world.gemini.on_text(say=speech(2.0), session=number)
    call = await world.gate.dial("1000", speak=STAMPS)
    await call.lasts(1)
    return call, world.gemini.session(number)


def unreadable(session: FakeSession, times: int) -> None:
    """Send what is no JSON, no object, no message, and no sound."""
    wrong: tuple[bytes | str, ...] = (
        b"\xff\xfe\x00",
        "{",
        "[]",
        '{"futureFeature": {}}',
        '{"serverContent": 5}',
        '{"error": {"code": 500}}',
        '{"serverContent": {"modelTurn": {"parts": [{"inlineData": 5}]}}}',
    )
    for number in range(times):
        session.raw(wrong[number % len(wrong)])


CLOSE_CODES = (1000, 1001, 1006, 1007, 1008, 1011)
LOST: dict[str, Callable[[FakeSession], None]] = {
    **{f"close {code}": partial(FakeSession.close, code=code) for code in CLOSE_CODES},
    "a frame too large": lambda session: session.wire.oversize(MESSAGE_OCTETS_MAX + 1),
    "frames nobody can read": lambda session: unreadable(session, 50),
}


async def test_after_the_answer_the_caller_is_let_go(world: World) -> None:
    for case, lose in LOST.items():
        call, session = await caller_talks(world)
        world.gemini.refuse(401)  # and it does not come back: it is not worth waiting for
        lose(session)
        await call.ended(by="gateway", within_s=BYE_WITHIN_S)
        world.gemini.entrance.obstacles.clear()
        await world.is_whole_again(case)


@pytest.mark.thorough
async def test_a_half_open_connection_is_noticed(world: World) -> None:
    call, session = await caller_talks(world)
    world.gemini.refuse(401)
    session.wire.half_open()
    await call.ended(by="gateway", within_s=NOTICED_WITHIN_S)
    await mended(world, session)
    await world.is_whole_again("a half-open connection")


async def test_a_caller_may_leave_a_half_open_connection(world: World) -> None:
    call, session = await caller_talks(world)
    session.wire.half_open()
    await call.lasts(10)
    await call.hang_up()
    assert call.release_s is not None
    assert call.release_s <= 0.1
    await mended(world, session)
    await world.is_whole_again("a caller who left a half-open connection")


async def test_a_few_unreadable_frames_are_passed_over(world: World) -> None:
    world.gemini.always(say=STAMPS)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1)
        unreadable(world.gemini.session(0), 14)
        await call.lasts(3)
    assert call.heard.only_from(world.gemini.session(0), at_least=6)
    assert world.gemini.session(0).heard.only_from(call, at_least=6)


async def test_latency_is_only_latency(world: World) -> None:
    world.gemini.always(say=STAMPS)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        world.gemini.session(0).wire.slow(delay_s=0.4)
        await call.lasts(5)
    assert call.heard.only_from(world.gemini.session(0), at_least=7)
    assert world.gemini.session(0).heard.only_from(call, at_least=7)
    await world.nothing_is_left("a far service")


@pytest.mark.parametrize("octets_per_s", [1_000.0, 20_000.0])
@pytest.mark.thorough(but=1)
async def test_a_slow_connection_holds_up_nobody(world: World, octets_per_s: float) -> None:
    """Neither direction fits through; RTP and SIP go on, and the caller may leave at once."""
    world.gemini.always(say=STAMPS, session=0)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1)
        world.gemini.session(0).wire.slow(octets_per_s)
        await call.lasts(10)
    assert world.gemini.session(0).uplink_stats.audio_ms < 8_000, "it was not slow at all"
    assert call.release_s is not None
    assert call.release_s <= 0.1
    await world.gemini.until(lambda: world.gemini.open_sessions == 0, within_s=30)
    await world.is_whole_again("a slow connection")


async def mended(world: World, session: FakeSession) -> None:
    """The network is whole again: now the service learns that its peer has gone."""
    session.wire.half_open(False)
    await world.gemini.until(lambda: world.gemini.open_sessions == 0, within_s=5)
    world.gemini.entrance.obstacles.clear()
