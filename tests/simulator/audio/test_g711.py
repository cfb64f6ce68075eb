"""G.711 against the standard library's and against the tables of the recommendation."""

import warnings
from typing import Any

import numpy as np
import pytest

from simulator.audio.g711 import LAW, PCMA, PCMU, Law

EVERY_OCTET = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)


@pytest.fixture(scope="module")
def audioop() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("audioop")


def test_laws_go_by_their_rtp_names() -> None:
    assert LAW == {"PCMU": PCMU, "PCMA": PCMA}
    assert (PCMU.payload_type, PCMA.payload_type) == (0, 8)


@pytest.mark.parametrize(
    ("law", "octet", "linear"),
    [
        # G.711 tables 1a and 2a: decoder output values, scaled to 16 bits.
        (PCMU, 0x80, 32124),
        (PCMU, 0x00, -32124),
        (PCMU, 0xFF, 0),
        (PCMU, 0xFE, 8),
        (PCMA, 0xAA, 32256),
        (PCMA, 0x2A, -32256),
        (PCMA, 0xD5, 8),
        (PCMA, 0x55, -8),
    ],
)
def test_decoder_values_of_the_recommendation(law: Law, octet: int, linear: int) -> None:
    assert law.decode(bytes([octet])).tolist() == [linear]


@pytest.mark.parametrize("name", ["PCMU", "PCMA"])
def test_decoding_agrees_with_another_implementation(name: str, audioop: Any) -> None:
    other = {"PCMU": audioop.ulaw2lin, "PCMA": audioop.alaw2lin}[name]
    theirs = np.frombuffer(other(EVERY_OCTET, 2), dtype=np.int16)

    assert LAW[name].decode(EVERY_OCTET).tolist() == theirs.tolist()


def test_a_law_encoding_agrees_with_another_implementation(audioop: Any) -> None:
    assert PCMA.encode(EVERY_SAMPLE) == audioop.lin2alaw(EVERY_SAMPLE.tobytes(), 2)


def test_u_law_encoding_differs_at_negative_decision_values_only(audioop: Any) -> None:
    ours = np.frombuffer(PCMU.encode(EVERY_SAMPLE), dtype=np.uint8)
    theirs = np.frombuffer(audioop.lin2ulaw(EVERY_SAMPLE.tobytes(), 2), dtype=np.uint8)
    different = EVERY_SAMPLE[ours != theirs]

    assert len(different) == 508
    assert different.max() < 0


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_what_was_decoded_encodes_to_itself(law: Law) -> None:
    again = law.encode(law.decode(EVERY_OCTET))
    # u-law has two zeros; the negative one (0x7F) comes back as the positive.
    assert again == (EVERY_OCTET.replace(b"\x7f", b"\xff") if law is PCMU else EVERY_OCTET)


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_silence_is_the_code_of_zero(law: Law) -> None:
    assert law.silence() == law.encode(np.zeros(160, dtype=np.int16))
    assert len(law.silence(80)) == 80
