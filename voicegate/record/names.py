"""Names of records: safe on every system, whatever the Call-ID of the peer looks like."""

import hashlib
import re
from datetime import UTC, date, datetime

AUDIO = "call.wav"
TRANSCRIPT_TEXT = "transcript.txt"
TRANSCRIPT_LINES = "transcript.jsonl"
EVENTS = "events.jsonl"
CALL = "call.json"
PACKETS = "call.pcap"
FILES = (AUDIO, TRANSCRIPT_TEXT, TRANSCRIPT_LINES, EVENTS, CALL, PACKETS)
"""All that a record may hold."""

_ID = re.compile(r"(\d{8})T\d{6}-\d{1,10}-[0-9a-f]{12}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def record_id(began: datetime, number: int, call_id: str) -> str:
    """Give `20261125T142305-7-3f2a9c01d4e5`: UTC, the call's number, a digest of its Call-ID.

    Nothing of the Call-ID itself: it may be `nul`, `a?b` or `../../x`, and of any length.
    """
    digest = hashlib.sha256(call_id.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{began.astimezone(UTC):%Y%m%dT%H%M%S}-{number}-{digest[:12]}"


def day_folder(record: str) -> str | None:
    """Give the name of the day's folder a record lies in; None where that is no record's name."""
    found = _ID.fullmatch(record)
    if found is None:
        return None
    digits = found.group(1)
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def day_of(folder: str) -> date | None:
    """Read the name of a day's folder; None where it is none."""
    if not _DAY.fullmatch(folder):
        return None
    try:
        return date.fromisoformat(folder)
    except ValueError:
        return None
