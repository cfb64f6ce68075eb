"""Judges the RTCP that a gateway sends beside its sound."""

import struct
from collections.abc import Iterable, Iterator

from .judge import Violation

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION = 200, 201, 202
RFC = "RFC 3550 6.1"


def judge_reports(reports: Iterable[bytes]) -> Iterator[Violation]:
    """Each must be whole: a report first, a source description, lengths that add up."""
    for data in reports:
        kinds = kinds_of(data)
        if kinds is None:
            yield Violation("rtcp-form", RFC, f"{len(data)} octets that are no RTCP")
        elif kinds[0] not in (SENDER_REPORT, RECEIVER_REPORT):
            yield Violation("rtcp-order", RFC, f"begins with {kinds[0]}, not with a report")
        elif SOURCE_DESCRIPTION not in kinds:
            yield Violation("rtcp-cname", RFC, f"no source description among {kinds}")


def kinds_of(data: bytes) -> list[int] | None:
    """The packet types of a compound packet, in order; None where it cannot be cut."""
    kinds: list[int] = []
    while data:
        if len(data) < 4:
            return None
        first, kind, words = struct.unpack_from("!BBH", data)
        size = 4 * (words + 1)
        if first >> 6 != 2 or not 200 <= kind <= 213 or len(data) < size:
            return None
        kinds.append(kind)
        data = data[size:]
    return kinds or None
