"""The calls that are over, of this process and of those before it, for operators."""

from datetime import UTC, datetime
from typing import Any

from voicegate.admin.board import RECENT_CALLS
from voicegate.report import masked

CUT_OFF = "cut_off"
"""The reason of a call whose process was killed: its record never got its figures."""
UNKNOWN: dict[str, Any] = {
    "reason": CUT_OFF,
    "ended_by": "gateway",
    "direction": "in",
    "call_id": None,
    "setup_ms": None,
    "duration_ms": 0.0,
    "release_ms": 0.0,
    "turns": 0,
    "interruptions": 0,
    "response_ms": [],
}
"""What a row shows where its record does not say."""


def history(
    recent: list[dict[str, Any]], records: list[dict[str, Any]], opened: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Put each recent call beside its record, and after them the records of before `opened`."""
    kept = {one.get("call_id"): one for one in records}
    own = [
        call | {"earlier": False, "record": _files(kept.get(call["call_id"]))} for call in recent
    ]
    before = f"{opened.astimezone(UTC):%Y%m%dT%H%M%S}"  # as the name of a record begins
    earlier = [_earlier(one, now) for one in records if one["id"] < before]
    return (own + earlier)[:RECENT_CALLS]


def _earlier(record: dict[str, Any], now: datetime) -> dict[str, Any]:
    told = {name: record.get(name, unknown) for name, unknown in UNKNOWN.items()}
    began, number, _ = record["id"].split("-")
    ended = record.get("end") or f"{began}+0000"
    return told | {
        "earlier": True,
        "number": int(number),
        "caller": masked(record.get("from", "")),
        "called": record.get("to", ""),
        "levels": {},
        "media": None,
        "ended_s_ago": round((now - datetime.fromisoformat(ended)).total_seconds()),
        "record": _files(record),
    }


def _files(record: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if record is None else {"id": record["id"], "files": record["files"]}
