"""Names of a recording: safe on every system, whatever the Call-ID."""

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegate.record.names import FILES, day_folder, day_of, record_id

CALL_IDS = Path(__file__).parents[4] / "shared" / "corpora" / "own" / "call_ids.json"
BEGAN = datetime(2026, 11, 25, 14, 23, 5, tzinfo=UTC)
SAFE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def odd_call_ids() -> list[str]:
    if not CALL_IDS.exists():
        pytest.skip("the corpus of odd Call-IDs is not here")
    return [row["call_id"] for row in json.loads(CALL_IDS.read_text(encoding="utf-8"))]


def test_a_recording_of_an_odd_call_id_has_a_safe_name_of_its_own() -> None:
    call_ids = odd_call_ids()
    made = [record_id(BEGAN, 1, call_id) for call_id in call_ids]
    assert len(set(made)) == len(call_ids)
    for name in made:
        assert SAFE.fullmatch(name)
        assert not RESERVED.match(name)
        assert not name.endswith((".", " "))


@given(st.text(max_size=500))
def test_a_recordings_name_never_depends_on_what_the_call_id_holds(call_id: str) -> None:
    name = record_id(BEGAN, 7, call_id)
    assert re.fullmatch(r"20261125T142305-7-[0-9a-f]{12}", name)
    assert day_folder(name) == "2026-11-25"


def test_the_path_of_a_recordings_file_leaves_room_for_the_folder_on_windows() -> None:
    record = record_id(BEGAN, 9_999_999, "x" * 10_000)
    longest = f"{day_folder(record)}/{record}/{max(FILES, key=len)}.new"
    assert len(longest) <= 80  # of the 260 that a path may have there


def test_the_name_tells_utc() -> None:
    there = BEGAN.astimezone(timezone(timedelta(hours=5)))
    assert record_id(there, 1, "x") == record_id(BEGAN, 1, "x")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../x",
        "20261125T142305-7-3f2a9c01d4e5/..",
        "20261125T142305-7-3F2A9C01D4E5",
        "20261125T142305-7-3f2a9c01d4e5\n",
        "\u0662" * 8 + "T142305-7-3f2a9c01d4e5",
    ],
)
def test_what_is_no_recordings_name_has_no_day(name: str) -> None:
    assert day_folder(name) is None


@pytest.mark.parametrize(
    ("folder", "day"),
    [("2026-11-25", date(2026, 11, 25)), ("2026-13-01", None), ("notes", None), ("20261125", None)],
)
def test_only_a_days_folder_is_read_as_one(folder: str, day: date | None) -> None:
    assert day_of(folder) == day


def test_the_files_have_safe_names() -> None:
    assert all(SAFE.fullmatch(name) for name in FILES)
