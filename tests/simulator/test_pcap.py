"""The pcap file, read back by somebody else's dissector."""

import struct
from pathlib import Path
from typing import Any

import pytest

from simulator.pcap import PcapWriter, Tape, checksum, ip_packet

GATE = ("127.0.0.1", 5060)
GATEWAY = ("127.0.0.2", 5070)


def dissect(path: Path) -> list[Any]:
    """The packets as scapy sees them, checksums worked out by scapy."""
    scapy = pytest.importorskip("scapy.all")
    return list(scapy.rdpcap(str(path)))


def test_a_dissector_reads_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "run.pcap"
    with PcapWriter(path) as writer:
        writer.write(1000.25, GATE, GATEWAY, b"OPTIONS sip:x SIP/2.0\r\n\r\n")
        writer.write(1000.250001, GATEWAY, GATE, b"odd")

    first, second = dissect(path)

    assert (first["IP"].src, first["UDP"].sport) == GATE
    assert (first["IP"].dst, first["UDP"].dport) == GATEWAY
    assert bytes(first["UDP"].payload) == b"OPTIONS sip:x SIP/2.0\r\n\r\n"
    assert bytes(second["UDP"].payload) == b"odd"
    assert float(first.time) == 1000.25
    assert float(second.time) == 1000.250001


@pytest.mark.parametrize("payload", [b"", b"x", b"\xff" * 171, bytes(range(256)) * 255])
def test_checksums_are_those_of_the_dissector(payload: bytes) -> None:
    layers = pytest.importorskip("scapy.layers.inet")
    packet = ip_packet(GATE, GATEWAY, payload, ident=7)

    again = layers.IP(packet)
    del again.chksum
    del again["UDP"].chksum

    assert bytes(again) == packet


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    # RFC 768. This payload makes the sum come out as zero.
    bare = ip_packet(GATE, GATEWAY, b"\0\0")
    payload = bare[26:28]
    packet = ip_packet(GATE, GATEWAY, payload)

    assert packet[26:28] == b"\xff\xff"


def test_the_sum_over_a_summed_header_is_zero() -> None:
    assert checksum(ip_packet(GATE, GATEWAY, b"payload")[:20]) == 0


def test_a_datagram_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        ip_packet(GATE, GATEWAY, bytes(65508))


def test_the_file_starts_as_a_raw_ip_capture(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    PcapWriter(path).close()

    magic, major, minor, *_, linktype = struct.unpack("<IHHiIII", path.read_bytes())

    assert (magic, major, minor, linktype) == (0xA1B2C3D4, 2, 4, 101)


def test_the_tape_keeps_the_newest_and_counts_the_rest() -> None:
    tape = Tape(limit=3)
    for n in range(5):
        tape.record(float(n), GATE, GATEWAY, b"%d" % n)

    assert [packet.payload for packet in tape.packets] == [b"2", b"3", b"4"]
    assert (len(tape), tape.dropped) == (3, 2)


def test_a_tape_that_forgets_counts_what_it_kept() -> None:
    tape = Tape(limit=3)
    for number in range(4):
        tape.record(float(number), ("127.0.0.1", 1), ("127.0.0.1", 2), b"x")
    tape.forget()
    assert (len(tape), tape.dropped) == (0, 4)


def test_the_tape_is_saved_in_order_of_time(tmp_path: Path) -> None:
    tape = Tape()
    tape.record(2.0, GATE, GATEWAY, b"second")
    tape.record(1.0, GATEWAY, GATE, b"first")
    tape.save(tmp_path / "run.pcap")

    payloads = [bytes(packet["UDP"].payload) for packet in dissect(tmp_path / "run.pcap")]

    assert payloads == [b"first", b"second"]


def test_a_fifth_part_of_an_ipv6_address_is_cut_off_the_record() -> None:
    tape = Tape()
    tape.record(0.0, ("::1", 1, 0, 0)[:2], GATE, b"")

    assert tape.packets[0].source == ("::1", 1)
