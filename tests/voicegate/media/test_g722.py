"""G.722 at our border: the rate, the band, the memory of each stream."""

import numpy as np
import pytest

from voicegate.media import g722
from voicegate.media.codec import CODECS, FRAME_BYTES, FRAME_SAMPLES, G722, SILENCE_FRAME, peak, rms

pytestmark = pytest.mark.skipif(not g722.INSTALLED, reason="the package G722 is not installed")


def tone(hz: float, rate: int, seconds: float = 1.0, level: float = 8000.0) -> bytes:
    at = np.arange(int(rate * seconds)) / rate
    return (level * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes()


def by_frames(coder: object, data: bytes, size: int) -> list[bytes]:
    assert callable(coder)
    return [coder(data[at : at + size]) for at in range(0, len(data), size)]


def test_a_frame_of_8_khz_is_160_octets_and_comes_back() -> None:
    stream = CODECS["G722"].for_stream()
    coded = by_frames(stream.encode, tone(1000, 8000), FRAME_BYTES)
    assert {len(payload) for payload in coded} == {FRAME_SAMPLES}
    heard = by_frames(G722.for_stream().decode, b"".join(coded), FRAME_SAMPLES)
    assert {len(frame) for frame in heard} == {FRAME_BYTES}
    assert rms(b"".join(heard[5:])) == pytest.approx(8000 / 2**0.5, rel=0.03)


def test_what_a_wideband_phone_says_above_4_khz_does_not_fold_back() -> None:
    """A phone of 16 kHz sounds at 5 kHz with -12 dBFS; the model must hear next to nothing."""
    wide = np.frombuffer(tone(5000, 16000), "<i2").tolist()
    phone = pytest.importorskip("G722").G722(16000, 64000)
    heard = g722.Decoder()(phone.encode(wide))
    assert rms(heard[3200:]) < 8000 / 2**0.5 / 60  # the codec's own 8 kHz mode: a tenth


def test_each_stream_has_a_memory_of_its_own() -> None:
    one, other = G722.for_stream(), G722.for_stream()
    loud = tone(1000, 8000, 0.1)
    assert one.encode(loud) == other.encode(loud)
    # the same sound once more is coded by what went before
    assert one.encode(loud) != G722.for_stream().encode(loud)


def test_what_stands_for_silence_is_silent_also_behind_speech() -> None:
    decode = G722.for_stream().decode
    decode(G722.encode(tone(1000, 8000)))
    for _ in range(10):
        frame = decode(G722.silence)
    assert peak(frame) <= 64
    assert peak(decode(G722.for_stream().encode(SILENCE_FRAME))) <= 64
