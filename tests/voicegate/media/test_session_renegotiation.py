"""Another offer within the call (RFC 3264 8): hold in its forms, port, codec, packet length."""

import asyncio
import itertools

import pytest

from tests.voicegate.media.lab import LOUD, Lab, calling, offer
from voicegate.media.codec import PCMA, PCMU, SILENCE_FRAME, peak

pytestmark = pytest.mark.virtual


def version_of(sdp: bytes) -> int:
    return int(sdp.split()[3])


@pytest.mark.parametrize(
    ("change", "direction", "sends"),
    [
        ({"more": "a=sendonly\r\n"}, b"a=recvonly", False),
        ({"more": "a=recvonly\r\n"}, b"a=sendonly", True),
        ({"more": "a=inactive\r\n"}, b"a=inactive", False),
        ({"host": "0.0.0.0"}, b"a=recvonly", False),
        ({"port": 0}, b"m=audio 0 RTP/AVP", False),
    ],
    ids=["sendonly", "recvonly", "inactive", "0.0.0.0", "port 0"],
)
async def test_hold_and_resume(change: dict[str, object], direction: bytes, sends: bool) -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await asyncio.sleep(1)
        held = media.renegotiate(offer(**{"port": caller.port} | change))  # type: ignore[arg-type]
        assert held is not None
        assert direction in held
        assert version_of(held) == 2
        assert media.parked
        await asyncio.sleep(0.03)
        before = len(caller.got)
        await asyncio.sleep(2)
        assert (len(caller.got) > before) is sends
        resumed = media.renegotiate(offer(caller.port))
        assert resumed is not None
        assert version_of(resumed) == 3
        assert not media.parked
        await asyncio.sleep(1)
        first, last = caller.packets[before - 1], caller.packets[-1]
    assert len(caller.got) >= before + 49
    # RFC 3550 5.1: the timestamp went on with the time, the sequence with the packets.
    assert (last.sequence - first.sequence) & 0xFFFF == len(caller.packets) - before
    assert (last.timestamp - first.timestamp) & 0xFFFFFFFF == pytest.approx(3 * 8000, abs=500)


async def test_what_comes_during_a_hold_is_not_heard() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        media.renegotiate(offer(caller.port, more="a=inactive\r\n"))
        for _ in range(10):
            caller.voice(media, PCMU.encode(LOUD))
            assert await media.hear() == SILENCE_FRAME
        assert media.counters().unexpected > 5


async def test_trap_5_another_port_is_followed_where_a_reinvite_names_it() -> None:
    lab = Lab()
    async with calling() as one, calling() as two, lab.open(offer(one.port)) as media:
        media.start()
        await asyncio.sleep(1)
        assert media.renegotiate(offer(two.port)) is not None
        await asyncio.sleep(0.03)
        left_with = len(one.got)
        for _ in range(10):
            two.voice(media, PCMU.encode(LOUD))
            heard = await media.hear(2)
        assert peak(heard) > 8000
        assert len(one.got) == left_with
        assert len(two.got) >= 9


async def test_another_codec_is_followed_both_ways() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port, "0 101")) as media:
        media.start()
        for _ in range(5):
            caller.voice(media, PCMU.encode(LOUD))
            await media.hear()
        answer = media.renegotiate(offer(caller.port, "8 101"))
        assert answer is not None
        assert b"a=rtpmap:8 PCMA/8000" in answer
        assert media.codec_name == "PCMA"
        media.say(LOUD * 40, 8000)
        heard = []
        for _ in range(20):
            caller.voice(media, PCMA.encode(LOUD), kind=8)
            heard.append(await media.hear())
        assert heard[-1] == PCMA.decode(PCMA.encode(LOUD))
    newest = caller.packets[-1]
    assert (newest.payload_type, newest.payload) == (8, PCMA.encode(LOUD))


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 50, 60])
async def test_packets_leave_as_long_and_as_even_as_the_caller_asked(ptime_ms: int) -> None:
    lab = Lab()
    body = offer(0, more=f"a=ptime:{ptime_ms}\r\n")
    async with calling() as caller:
        body = offer(caller.port, more=f"a=ptime:{ptime_ms}\r\n")
        async with lab.open(body) as media:
            media.start()
            media.say(LOUD * 200, 8000)
            await asyncio.sleep(3)
    times = [at for at, _ in caller.got]
    for before, after in itertools.pairwise(times):
        assert after - before == pytest.approx(ptime_ms / 1000, abs=1e-4)
    assert len(times) == pytest.approx(3000 / ptime_ms, abs=2)
    assert {len(packet.payload) for packet in caller.packets} == {8 * ptime_ms}
    for one, two in itertools.pairwise(caller.packets):
        assert two.timestamp == (one.timestamp + 8 * ptime_ms) & 0xFFFFFFFF
        assert two.sequence == (one.sequence + 1) & 0xFFFF
    sound = b"".join(packet.payload for packet in caller.packets)
    assert sound == PCMU.encode(LOUD) * (len(sound) // 160) + PCMU.encode(LOUD)[: len(sound) % 160]
