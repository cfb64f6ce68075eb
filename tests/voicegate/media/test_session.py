"""One call's media over real loopback sockets, in virtual time."""

import asyncio
import itertools
import json
import random
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.voicegate.media.lab import HOST, LOUD, Caller, Lab, calling, offer, port_of
from voicegate.media.codec import PCMA, PCMU, SILENCE_FRAME, Codec, peak
from voicegate.media.session import MediaSession
from voicegate.media.uplink import MediaStopped

pytestmark = pytest.mark.virtual

EDGE_CASES = Path(__file__).parents[4] / "shared" / "corpora" / "own" / "rtp_edge.json"


@pytest.fixture
def lab() -> Lab:
    return Lab()


def free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


async def frames(media: MediaSession, count: int) -> list[bytes]:
    return [await media.hear() for _ in range(count)]


@pytest.mark.parametrize(("formats", "codec"), [("0 101", PCMU), ("8 101", PCMA)])
async def test_trap_6_silence_flows_at_once_and_50_times_a_second(
    lab: Lab, formats: str, codec: Codec
) -> None:
    async with calling() as caller, lab.open(offer(caller.port, formats)) as media:
        await asyncio.sleep(0.5)
        assert caller.got == []
        started = asyncio.get_running_loop().time()
        media.start()
        await asyncio.sleep(20.0)
        media.stop()
        await asyncio.sleep(1.0)
    times = [at for at, _ in caller.got]
    assert times[0] == pytest.approx(started, abs=1e-4)
    assert len(times) in (1000, 1001)
    for before, after in itertools.pairwise(times):
        assert after - before == pytest.approx(0.02, abs=1e-4)
    for first, second in itertools.pairwise(caller.packets):
        assert second.sequence == (first.sequence + 1) & 0xFFFF
        assert second.timestamp == (first.timestamp + 160) & 0xFFFFFFFF
    assert {packet.payload for packet in caller.packets} == {codec.silence}
    assert {packet.payload_type for packet in caller.packets} == {codec.payload_type}
    assert len({packet.ssrc for packet in caller.packets}) == 1
    assert [packet.marker for packet in caller.packets[:3]] == [True, False, False]


async def test_two_calls_at_once_keep_their_own_beat(lab: Lab) -> None:
    async with (
        calling() as one,
        calling() as two,
        lab.open(offer(one.port)) as first,
        lab.open(offer(two.port)) as second,
    ):
        first.start()
        await asyncio.sleep(0.0333)
        started = asyncio.get_running_loop().time()
        second.start()
        await asyncio.sleep(2)
    assert two.got[0][0] - started <= 0.0026
    for caller in (one, two):
        for (before, _), (after, _) in itertools.pairwise(caller.got):
            assert after - before == pytest.approx(0.02, abs=1e-4)
    assert {packet.ssrc for packet in one.packets}.isdisjoint(p.ssrc for p in two.packets)


async def test_stop_ends_all_within_the_turn(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        port = port_of(media)
        assert port % 2 == 0
        assert not free(port)
        media.start()
        media.say(LOUD * 100, 8000)
        await asyncio.sleep(0.5)
        media.stop()
        assert free(port)
        assert not lab.ticker.running
        assert lab.pool.lent == 0
        # a port that another program has rests too
        assert lab.pool.resting(asyncio.get_running_loop().time()) >= 1
        sent = media.counters().packets_out
        media.stop()
        media.start()
        media.say(LOUD, 8000)
        await asyncio.sleep(1)
        assert media.counters().packets_out == sent == len(caller.got)
        assert media.renegotiate(offer(caller.port)) is None
        with pytest.raises(MediaStopped):
            await frames(media, 20)
        await media.drained()


async def test_the_caller_is_heard_and_silence_where_nothing_comes(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        assert await frames(media, 10) == [SILENCE_FRAME] * 10
        voice = PCMU.encode(LOUD)
        heard = []
        for _ in range(50):
            caller.voice(media, voice)
            heard += await frames(media, 1)
        heard += await frames(media, 100)
        assert heard.count(PCMU.decode(voice)) >= 50
        assert heard[-90:] == [SILENCE_FRAME] * 90
        counters = media.counters()
        assert (counters.packets_in, counters.lost, counters.late) == (50, 0, 0)
        assert (counters.malformed, counters.foreign, counters.uplink_dropped) == (0, 0, 0)
        assert len(await media.hear(2)) == 640


async def test_what_nobody_hears_is_dropped_oldest_first_and_counted(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await asyncio.sleep(1.0)
        before = media.counters().uplink_dropped
        assert before in (40, 41)
        await frames(media, 20)
        assert media.counters().uplink_dropped == before


async def test_packets_before_the_answer_are_dropped(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        for _ in range(50):
            caller.voice(media, PCMU.encode(LOUD))
        await asyncio.sleep(1)
        media.start()
        assert await frames(media, 30) == [SILENCE_FRAME] * 30
        assert (media.counters().early, media.counters().packets_in) == (50, 50)


async def test_trap_5_only_the_negotiated_address_is_heard(lab: Lab) -> None:
    async with calling() as caller, calling() as other, lab.open(offer(caller.port)) as media:
        media.start()
        for _ in range(20):
            other.voice(media, PCMU.encode(LOUD))
            assert await frames(media, 1) == [SILENCE_FRAME]
        await frames(media, 5)
        assert media.counters().foreign == 20
        assert media.counters().packets_in == 0


async def talk_through(
    lab: Lab, disturb: Callable[[Caller, MediaSession, int], None]
) -> tuple[list[bytes], MediaSession]:
    """Hear 100 frames of a caller, each another, whom something disturbs after every packet."""
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        heard = []
        for number in range(100):
            caller.voice(media, PCMU.encode(struct.pack("<h", 40 * number + 400) * 160))
            disturb(caller, media, number)
            heard += await frames(media, 1)
        heard += await frames(media, 6)
        return heard, media


async def test_malformed_packets_never_touch_the_callers_voice(lab: Lab) -> None:
    if not EDGE_CASES.exists():
        pytest.skip("the corpus of RTP edge cases is not beside the repository")
    cases = [bytes.fromhex(row["hex"]) for row in json.loads(EDGE_CASES.read_text("utf-8"))]

    def disturb(caller: Caller, media: MediaSession, number: int) -> None:
        caller.send(media, cases[number % len(cases)])
        caller.send(media, random.Random(number).randbytes(number * 7))

    undisturbed, _ = await talk_through(lab, lambda caller, media, number: None)
    disturbed, media = await talk_through(lab, disturb)
    assert disturbed == undisturbed
    assert any(peak(frame) > 4000 for frame in disturbed)
    counters = media.counters()
    assert counters.malformed + counters.unexpected + counters.strays > 150
    assert (counters.lost, counters.late) == (0, 0)


async def test_errors_of_the_socket_are_counted_and_survived(lab: Lab) -> None:
    def disturb(caller: Caller, media: MediaSession, number: int) -> None:
        if number == 50:
            protocol = media._transport.get_protocol()  # type: ignore[union-attr]
            assert isinstance(protocol, asyncio.DatagramProtocol)
            protocol.error_received(ConnectionResetError(10054, "port unreachable"))

    heard, media = await talk_through(lab, disturb)
    assert peak(heard[-5]) > 4000
    assert (media.counters().udp_errors, media.counters().reopened) == (1, 0)
    assert media.counters().packets_out >= 100


async def test_a_caller_whose_port_is_closed_does_not_end_the_media(lab: Lab) -> None:
    async with calling() as caller:
        port = caller.port
    async with lab.open(offer(port)) as media:
        media.start()
        assert await frames(media, 50) == [SILENCE_FRAME] * 50
        assert media.counters().packets_out >= 50


async def test_digits_are_seen_once_each_and_cost_no_audio(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        loop = asyncio.get_running_loop()
        for event in (1, 11):
            caller.timestamp = (caller.timestamp + 1600) & 0xFFFFFFFF
            for step in range(7):
                body = struct.pack("!BBH", event, 0x80 | 10 if step > 3 else 10, step * 160)
                caller.voice(media, body, kind=101, step=0)
                await frames(media, 1)
        await frames(media, 2)
        assert media.digits == "1#"
        assert media.counters().digits == 2
        assert media.last_digit_at == pytest.approx(loop.time() - 0.18, abs=0.03)
        assert media.counters().lost == 0


@pytest.mark.parametrize(
    ("direction", "sends"), [("inactive", 0), ("sendonly", 0), ("recvonly", 1)]
)
async def test_the_direction_says_whether_we_send(lab: Lab, direction: str, sends: int) -> None:
    more = f"a={direction}\r\n"
    async with calling() as caller, lab.open(offer(caller.port, more=more)) as media:
        media.start()
        media.say(LOUD * 5, 8000)
        assert await frames(media, 20) == [SILENCE_FRAME] * 20
        # what nobody would hear waits
        assert (media.queued_ms == 0) is bool(sends)
        assert bool(caller.got) is bool(sends)


async def test_hold_by_0_0_0_0_sends_nothing(lab: Lab) -> None:
    async with lab.open(offer(4000, host="0.0.0.0")) as media:
        media.start()
        assert await frames(media, 5) == [SILENCE_FRAME] * 5
        assert media.counters().packets_out == 0


async def test_an_offer_that_cannot_be_taken_changes_nothing(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        answer = media.local_sdp
        assert media.renegotiate(offer(caller.port)) == answer
        assert media.renegotiate(offer(caller.port, "0 101")) == answer
        for change in (
            offer(caller.port, "18"),
            offer(caller.port, host="198.51.100.7"),
            offer(80),
            b"junk",
            b"",
        ):
            assert media.renegotiate(change) is None
        assert media.local_sdp == answer
        fewer = media.renegotiate(offer(caller.port, "0"))
        assert fewer is not None
        assert b"telephone-event" not in fewer
        assert int(fewer.split()[3]) == int(answer.split()[3]) + 1 == 2
        assert fewer.split()[2] == answer.split()[2]
        assert media.renegotiate(offer(caller.port, "0")) == fewer == media.local_sdp
        assert media.codec_name == "PCMU"


async def test_a_full_send_buffer_drops_and_counts(lab: Lab) -> None:
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await frames(media, 5)
        media.note_blocked(True)
        await frames(media, 5)
        media.note_blocked(False)
        await frames(media, 5)
        await asyncio.sleep(0.005)
        counters = media.counters()
        assert counters.send_blocked == 5
        assert counters.packets_out == len(caller.got) >= 10
