"""The line itself: NAT, DTX and comfort noise, RTP that never comes or stops."""

import asyncio

import pytest

from tests.voicegate.media.lab import HOST, LOUD, Caller, Lab, calling, offer
from voicegate.media.codec import PCMU, SILENCE_FRAME, peak
from voicegate.media.life import Starved
from voicegate.media.rules import MediaRules
from voicegate.media.session import MediaSession

pytestmark = pytest.mark.virtual
VOICE = PCMU.encode(LOUD)


async def spoken(caller: Caller, media: MediaSession, frames: int) -> bytes:
    heard = b""
    for _ in range(frames):
        caller.voice(media, VOICE)
        heard = await media.hear()
    return heard


@pytest.mark.parametrize(
    ("silent_s", "ssrc"), [(0.0, 0xCA11), (5.0, 0xCA11), (5.0, 0xBEEF)], ids=str
)
async def test_a_nat_that_gives_the_stream_another_port_is_followed_both_ways(
    silent_s: float, ssrc: int
) -> None:
    """Between two packets or behind a silence, as the same stream or as another one."""
    lab = Lab()
    async with calling() as one, calling() as two, lab.open(offer(one.port)) as media:
        media.start()
        await spoken(one, media, 20)
        await asyncio.sleep(silent_s)
        two.ssrc, two.sequence, two.timestamp = ssrc, one.sequence, one.timestamp
        assert peak(await spoken(two, media, 20)) > 8000
        await asyncio.sleep(0.03)
        left_with = len(one.got)
        await spoken(two, media, 20)
        assert len(one.got) == left_with
        assert len(two.got) >= 25
        assert media.counters().moves == 1


async def test_a_stranger_on_the_same_host_is_not_followed_while_the_caller_speaks() -> None:
    lab = Lab()
    async with calling() as caller, calling() as other, lab.open(offer(caller.port)) as media:
        media.start()
        other.ssrc = 0xBAD
        for _ in range(100):
            other.voice(media, VOICE)
            caller.voice(media, PCMU.silence)
            assert peak(await media.hear()) < 100
        assert (media.counters().moves, media.counters().foreign) == (0, 100)
        assert other.got == []


@pytest.mark.parametrize("speech", ["none yet", "with rests"])
async def test_silence_of_a_caller_does_not_give_its_call_to_the_gate_s_last_one(
    speech: str,
) -> None:
    """Call 1 talks on, from the same host, to the port of call 2; caller 2 saves its packets."""
    lab, loop = Lab(), asyncio.get_running_loop()
    async with calling() as caller, calling() as last, lab.open(offer(caller.port)) as media:
        media.start()
        last.ssrc = 0xBAD
        if speech == "with rests":
            await spoken(caller, media, 20)
            caller.voice(media, b"\x40", kind=13)
        until = loop.time() + 6
        while loop.time() < until:
            heard = await spoken(last, media, 1)
        assert peak(heard) < 100
        assert peak(await spoken(caller, media, 20)) > 8000
        assert (media.counters().moves, last.got) == (0, [])


async def test_strict_means_the_agreed_port_only() -> None:
    lab, strict = Lab(), MediaRules(follow_port=False)
    async with (
        calling() as caller,
        calling() as other,
        lab.open(offer(caller.port), rules=strict) as media,
    ):
        media.start()
        await asyncio.sleep(5)
        assert await spoken(other, media, 20) == SILENCE_FRAME
        assert media.counters().moves == 0


async def test_a_change_of_ssrc_at_the_agreed_port_is_followed() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await spoken(caller, media, 20)
        caller.ssrc, caller.sequence, caller.timestamp = 0xBEEF, 77, 0xFFFFFF00
        assert peak(await spoken(caller, media, 20)) > 8000


async def test_comfort_noise_and_the_pause_behind_it_are_heard_as_silence() -> None:
    """RFC 3389: payload type 13; nothing is made up behind it."""
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await spoken(caller, media, 20)
        caller.voice(media, b"\x40", kind=13, step=8000)
        heard = [await media.hear() for _ in range(49)]
        # the jitter buffer holds the last words for up to 60 ms; then it is silent at once
        assert [peak(frame) for frame in heard[4:]] == [0] * 45
        assert peak(await spoken(caller, media, 20)) > 8000
        counters = media.counters()
        assert (counters.lost, counters.unexpected, counters.malformed) == (0, 0, 0)


async def test_rtp_that_never_comes_starves_the_call_after_30_s() -> None:
    lab, loop = Lab(), asyncio.get_running_loop()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        began_at = loop.time()
        media.start()
        assert await media.starved() is Starved.NEVER_CAME
        assert loop.time() - began_at == pytest.approx(30.0, abs=0.01)


@pytest.mark.parametrize(("rests", "after_s"), [(False, 15.0), (True, 30.0)])
async def test_rtp_that_stops_starves_the_call_but_a_rest_is_no_death(
    rests: bool, after_s: float
) -> None:
    lab, loop = Lab(), asyncio.get_running_loop()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await spoken(caller, media, 20)
        if rests:
            caller.voice(media, b"\x40", kind=13)
        stopped_at = loop.time()
        assert await media.starved() is Starved.STOPPED
        assert loop.time() - stopped_at == pytest.approx(after_s, abs=0.03)


async def test_a_call_on_hold_is_not_starved_until_it_is_resumed() -> None:
    lab, loop = Lab(), asyncio.get_running_loop()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await spoken(caller, media, 5)
        media.renegotiate(offer(caller.port, more="a=inactive\r\n"))
        starving = asyncio.ensure_future(media.starved())
        await asyncio.sleep(60)
        assert not starving.done()
        media.renegotiate(offer(caller.port))
        resumed_at = loop.time()
        assert await starving is Starved.STOPPED
        assert loop.time() - resumed_at == pytest.approx(15.0, abs=1.0)


async def test_the_advertised_address_stands_in_the_description_and_nowhere_else() -> None:
    lab, rules = Lab(), MediaRules(advertised_address="203.0.113.5")
    async with calling() as caller, lab.open(offer(caller.port), rules=rules) as media:
        assert media.local_sdp.count(b"IN IP4 203.0.113.5") == 2
        assert HOST.encode() not in media.local_sdp
        media.start()
        assert peak(await spoken(caller, media, 20)) > 8000
        assert len(caller.got) >= 19
