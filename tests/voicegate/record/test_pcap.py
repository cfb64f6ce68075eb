"""The capture of a recording: read back by a dissector that is not ours."""

from pathlib import Path

import pytest

from voicegate.record.pcap import FILE_HEADER, Packet, call_id_of, masked, serialise

INVITE = (
    b"INVITE sip:1000@192.0.2.1 SIP/2.0\r\n"
    b'From: "+4915112345678" <sip:+4915112345678@192.0.2.9>;tag=a\r\n'
    b"i : odd id;x@y\r\n"
    b"P-Asserted-Identity: <tel:015112345678>\r\nX-Other: 07112345670\r\n\r\nCall-ID: body\r\n"
)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "2001:db8::2")]
)
def test_the_packets_of_a_recording_are_read_by_scapy(
    tmp_path: Path, ours: str, theirs: str
) -> None:
    scapy = pytest.importorskip("scapy.all")
    path = tmp_path / "call.pcap"
    packet = Packet(1700000000.25, (ours, 5060), (theirs, 5062), b"payload")
    path.write_bytes(FILE_HEADER + serialise(packet) * 2)
    first, second = scapy.rdpcap(str(path))
    assert bytes(first) == bytes(second)
    assert float(first.time) == pytest.approx(1700000000.25)
    assert (first.src, first.dst) == (ours, theirs)
    assert (first["UDP"].sport, first["UDP"].dport) == (5060, 5062)
    assert bytes(first["UDP"].payload) == b"payload"
    rebuilt = first.copy()
    for layer in ("IP", "UDP"):
        if layer in rebuilt and (layer == "IP" or ":" in ours):
            del rebuilt[layer].chksum
    assert bytes(rebuilt) == bytes(first)


def test_the_call_id_is_read_from_the_head_in_both_spellings() -> None:
    assert call_id_of(INVITE) == "odd id;x@y"
    assert call_id_of(b"SIP/2.0 200 OK\r\nCALL-ID:a\r\n\r\n") == "a"
    assert call_id_of(b"\r\n\r\nCall-ID: a\r\n") == ""


def test_the_callers_number_is_hidden_in_every_form_at_the_same_length() -> None:
    hidden = masked(INVITE, "+4915112345678")
    assert len(hidden) == len(INVITE)
    assert b"12345678" not in hidden
    assert b"sip:+*********5678@" in hidden
    assert b"tel:********5678>" in hidden
    assert b"07112345670" in hidden


@pytest.mark.parametrize("number", ["", "1000", "*31#", "anna"])
def test_a_short_number_hides_nothing(number: str) -> None:
    assert masked(INVITE, number) == INVITE


def test_a_name_is_hidden_too() -> None:
    assert masked(b"<sip:anonymous@x>", "anonymous") == b"<sip:*****mous@x>"
