"""What a gateway sends beside its sound is judged too."""

import struct

import pytest

from simulator.gate.rtcp_judge import judge_reports, kinds_of


def packet(kind: int, words: int = 1, first: int = 0x80) -> bytes:
    return struct.pack("!BBH", first, kind, words) + b"\0" * (4 * words)


def test_a_report_with_its_source_description_is_in_order() -> None:
    whole = packet(200, 6) + packet(202, 3) + packet(203)
    assert kinds_of(whole) == [200, 202, 203]
    assert not list(judge_reports([whole, packet(201) + packet(202)]))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (packet(202) + packet(200), "rtcp-order"),
        (packet(200, 6), "rtcp-cname"),
        (packet(200, 6)[:-4] + packet(202), "rtcp-form"),
        (packet(200, first=0x40) + packet(202), "rtcp-form"),
        (packet(90) + packet(202), "rtcp-form"),
        (b"\x80\xc8", "rtcp-form"),
        (b"", "rtcp-form"),
    ],
)
def test_what_is_not_names_its_rule(data: bytes, rule: str) -> None:
    assert [violation.rule for violation in judge_reports([data])] == [rule]
