"""Keys both ways: DTMF as telephone-events (RFC 4733), as INFO, as tones."""

import asyncio
import itertools
import struct

import numpy as np
import pytest

from tests.voicegate.media.lab import LOUD, Caller, Lab, calling, offer
from voicegate.media.codec import PCMU, peak
from voicegate.media.rules import MediaRules
from voicegate.media.session import MediaSession
from voicegate.media.tones import ToneDetector, key_tone

pytestmark = pytest.mark.virtual
NO_EVENTS = "0 8"


async def press(caller: Caller, media: MediaSession, event: int, number: int = 101) -> None:
    """A key press by the book, its end three times."""
    caller.timestamp = (caller.timestamp + 1600) & 0xFFFFFFFF
    for step in range(7):
        body = struct.pack("!BBH", event, 0x80 | 10 if step > 3 else 10, min(step + 1, 5) * 160)
        caller.voice(media, body, kind=number, step=0)
        await media.hear()


@pytest.mark.parametrize("number", [96, 97, 101, 127])
async def test_dtmf_events_of_any_number_are_told_once_each(number: int) -> None:
    lab, told = Lab(), list[str]()
    body = offer(0).replace(b"0 8 101", b"0 8 %d" % number).replace(b":101 ", b":%d " % number)
    async with (
        calling() as caller,
        lab.open(body.replace(b"audio 0 ", b"audio %d " % caller.port)) as media,
    ):
        media.start()
        media.on_digit(told.append)
        for event in (1, 2, 11, 11):
            await press(caller, media, event, number)
        await media.hear(5)
        assert told == ["1", "2", "#", "#"]
        assert (media.digits, media.counters().digits) == ("12##", 4)


async def test_dtmf_by_info_and_not_twice_where_the_event_came_too() -> None:
    lab, told = Lab(), list[str]()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.on_digit(told.append)
        media.take_info("application/dtmf-relay", b"Signal=9\r\nDuration=160\r\n")
        assert told == []
        media.start()
        media.take_info("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n")
        media.take_info("application/dtmf", b"1")
        assert told == ["1", "1"]
        await press(caller, media, 5)
        media.take_info("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n")
        await press(caller, media, 5)
        await media.hear(5)
        assert told == ["1", "1", "5", "5"]
        assert media.last_digit_at is not None


@pytest.mark.parametrize(
    ("inband", "formats", "found"),
    [
        ("auto", NO_EVENTS, "159#"),
        ("auto", "0 8 101", ""),
        ("on", "0 8 101", "159#"),
        ("off", NO_EVENTS, ""),
    ],
)
async def test_dtmf_tones_are_found_where_they_are_looked_for(
    inband: str, formats: str, found: str
) -> None:
    lab = Lab()
    async with (
        calling() as caller,
        lab.open(
            offer(caller.port, formats),
            rules=MediaRules(inband_dtmf=inband),  # type: ignore[arg-type]
        ) as media,
    ):
        media.start()
        for digit in "159#":
            for frame in range(10):
                tone = key_tone(digit, frame) if frame < 5 else bytes(320)
                caller.voice(media, PCMU.encode(tone))
                await media.hear()
        await media.hear(5)
        assert media.digits == found


async def test_dtmf_sent_as_events_by_the_book() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        await asyncio.sleep(0.5)
        media.say(LOUD * 50, 8000)
        media.send_digits("12#")
        await asyncio.sleep(1.5)
    events = [packet for packet in caller.packets if packet.payload_type == 101]
    presses = [list(group) for _, group in itertools.groupby(events, lambda p: p.timestamp)]
    assert [group[0].payload[0] for group in presses] == [1, 2, 11]
    for group in presses:
        assert [packet.marker for packet in group] == [True] + [False] * 7
        durations = [struct.unpack("!BBH", packet.payload)[2] for packet in group]
        assert durations == [160, 320, 480, 640, 800, 800, 800, 800]
        assert [packet.payload[1] >> 7 for packet in group] == [0] * 5 + [1] * 3
    for one, two in itertools.pairwise(caller.packets):
        assert two.sequence == (one.sequence + 1) & 0xFFFF
        if one.payload_type == two.payload_type == 0:
            assert two.timestamp == (one.timestamp + 160) & 0xFFFFFFFF
    for before, behind in itertools.pairwise(at for at, _ in caller.got):
        assert behind - before == pytest.approx(0.02, abs=1e-4)
    # behind an event the sound goes on where the time is, not where it stopped
    after = next(p for p in caller.packets if p.timestamp == presses[0][0].timestamp + 8 * 160)
    assert after.payload_type == 0
    assert after.marker
    # what the model says waits, and none of it is lost
    sound = [PCMU.decode(p.payload) for p in caller.packets if p.payload_type == 0]
    assert sum(peak(pcm16) > 8000 for pcm16 in sound) >= 44


async def test_dtmf_sent_as_tones_where_no_events_were_agreed_on() -> None:
    lab, detector = Lab(), ToneDetector()
    async with calling() as caller, lab.open(offer(caller.port, NO_EVENTS)) as media:
        media.start()
        media.send_digits("0*D")
        await asyncio.sleep(1)
    assert {packet.payload_type for packet in caller.packets} == {0}
    assert "".join(detector.frame(PCMU.decode(p.payload)) for p in caller.packets) == "0*D"


async def test_dtmf_what_is_no_key_is_refused_and_a_hold_sends_none() -> None:
    lab = Lab()
    async with calling() as caller, lab.open(offer(caller.port, more="a=inactive\r\n")) as media:
        media.start()
        for wrong in ("12x", "1" * 65):
            with pytest.raises(ValueError, match="key"):
                media.send_digits(wrong)
        media.send_digits("5")
        await asyncio.sleep(1)
        assert caller.got == []


def test_a_key_tone_is_two_tones_of_the_same_level() -> None:
    spectrum = np.abs(np.fft.rfft(np.frombuffer(key_tone("1", 0), "<i2"), 8000))
    assert sorted(np.argsort(spectrum)[-20:])[0] == pytest.approx(697, abs=20)
