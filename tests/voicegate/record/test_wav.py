"""WAV as bytes: what the standard library and the judge read."""

import io
import struct
import wave

from voicegate.record.wav import HEADER_BYTES, header, interleave


def test_the_header_is_what_the_standard_library_writes() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(400))
    assert file.getvalue()[:HEADER_BYTES] == header(400)


def test_the_caller_is_left_and_the_gateway_right() -> None:
    both = interleave(struct.pack("<2h", 1, -2), struct.pack("<2h", 300, -400))
    assert struct.unpack("<4h", both) == (1, 300, -2, -400)


def test_a_header_never_overflows() -> None:
    assert len(header(1 << 40)) == HEADER_BYTES
