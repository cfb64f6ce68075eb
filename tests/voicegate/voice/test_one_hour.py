"""An hour of conversation over ten connections, in virtual time."""

import asyncio
import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from simulator.audio.heard import Heard
from simulator.audio.sound import stamps
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from tests.voicegate.voice.ear import Ear, heard, serving
from voicegate.voice.session import ModelAudio, Reconnected, Reconnecting, TurnComplete

pytestmark = pytest.mark.virtual

HOUR_S = 3600.0
STEPS = ("warned", "cut", "warned", "warned", "refused", "cut", "warned", "warned", "warned")
"""Six warnings, two cuts and a refused handle."""
CHUNK_S = 2.0
"""Long, since an hour of short ones takes a minute."""
TURN = stamps(every_s=0.5, count=4)
SILENCE_MAX_MS = 1500.0


def heard_of_each_connection(ear: Ear) -> list[Heard]:
    """What was heard of each connection by itself: an hour in one piece is too long to decode."""
    pieces = [Heard()]
    for event in ear.events:
        if isinstance(event, ModelAudio):
            pieces[-1].add(np.frombuffer(event.pcm16, "<i2"), event.sample_rate_hz, 1000.0)
        elif isinstance(event, Reconnecting):
            pieces.append(Heard())
    return pieces


def silence() -> Iterator[bytes]:
    return itertools.repeat(bytes(round(CHUNK_S * 16000) * 2))


def trouble(fake: FakeGemini, step: str) -> None:
    session = fake.sessions[-1]
    if step == "warned":
        session.go_away(50)
        return
    if step == "refused":
        fake.refuse_setup(1007, "Request contains an invalid argument.", times=1)
    session.abort()


async def test_go_away_six_times_two_cuts_and_a_refused_handle_within_an_hour(
    fake: FakeGemini,
) -> None:
    loop = asyncio.get_running_loop()
    loop.limit_s = HOUR_S + 120  # type: ignore[attr-defined]
    began_at, tasks_before = loop.time(), len(asyncio.all_tasks())
    fake.on_connect(say=TURN)
    with Witness() as witness:
        async with serving() as gemini:
            await witness.settle()
            witness.baseline()
            async with heard(gemini, quiet=False) as ear, asyncio.TaskGroup() as group:
                speaking = group.create_task(speak(ear))
                for step in STEPS:
                    await asyncio.sleep(HOUR_S / (len(STEPS) + 1))
                    trouble(fake, step)
                await asyncio.sleep(began_at + HOUR_S - loop.time())
                speaking.cancel()
            await fake.until(lambda: fake.open_sessions == 0)
            await witness.settle()
            witness.check(after="an hour")
    assert len(asyncio.all_tasks()) == tasks_before
    proven(fake, ear)


async def speak(ear: Ear) -> None:
    """Be silent, at the pace of sound."""
    for chunk in silence():
        await ear.voice.send_audio(chunk)
        await asyncio.sleep(CHUNK_S)


def proven(fake: FakeGemini, ear: Ear) -> None:
    switches = [event for event in ear.events if isinstance(event, Reconnected)]
    assert [event.resumed for event in switches].count(False) == 1
    assert len(switches) == len(STEPS)
    assert max(event.ms for event in switches) <= SILENCE_MAX_MS
    assert len(ear.of(TurnComplete)) == len(STEPS) + 1
    pieces = heard_of_each_connection(ear)
    numbers = [[stamp.sequence for stamp in piece.stamps()] for piece in pieces]
    assert numbers == [list(range(4))] * (len(STEPS) + 1)
    identities = [{stamp.identity for stamp in piece.stamps()} for piece in pieces]
    assert all(len(one) == 1 for one in identities)
    assert len({min(one) for one in identities}) == len(STEPS) + 1, "something was said twice"
    for before, after in itertools.pairwise(fake.sessions):
        assert before.closed_at_s is not None
        assert before.closed_at_s <= after.opened_at_s
    fake.check()
