"""The calls that are over, of this process and of those before it."""

from datetime import UTC, datetime
from typing import Any

from voicegate.admin.board import RECENT_CALLS
from voicegate.admin.history import history

OPENED = datetime(2026, 11, 25, 14, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 14, 5, 0, tzinfo=UTC)


def record(began: str, number: int = 1, **told: Any) -> dict[str, Any]:
    return {"id": f"{began}-{number}-0123456789ab", "files": ["call.wav"], **told}


def test_a_call_of_this_process_has_its_record_beside_it() -> None:
    call = {"number": 1, "call_id": "a"}
    own = record("20261125T140100", call_id="a")
    assert history([call], [own], OPENED, NOW) == [
        call | {"earlier": False, "record": {"id": own["id"], "files": ["call.wav"]}}
    ]


def test_a_running_call_is_not_among_those_that_are_over() -> None:
    assert history([], [record("20261125T140000")], OPENED, NOW) == []


def test_what_was_before_the_start_is_told_by_its_record() -> None:
    told: dict[str, Any] = {
        "call_id": "a",
        "direction": "out",
        "from": "gw",
        "to": "******3456",
        "reason": "busy",
        "end": "2026-11-25T13:59:30.000+00:00",
        "response_ms": [810.0],
    }
    [call] = history([], [record("20261125T135900", 7, **told)], OPENED, NOW)
    assert (call["earlier"], call["number"], call["reason"]) == (True, 7, "busy")
    assert (call["direction"], call["called"], call["ended_s_ago"]) == ("out", "******3456", 330)
    assert call["response_ms"] == [810.0]


def test_a_number_that_stands_whole_in_the_record_is_masked_on_the_page() -> None:
    [call] = history([], [record("20261125T135900") | {"from": "0888123456"}], OPENED, NOW)
    assert call["caller"] == "******3456"


def test_a_call_whose_process_was_killed_is_cut_off() -> None:
    [call] = history([], [record("20261125T135900")], OPENED, NOW)
    assert (call["reason"], call["ended_s_ago"], call["turns"]) == ("cut_off", 360, 0)


def test_no_more_than_the_page_shows() -> None:
    many = [record("20261125T135900", number) for number in range(100)]
    assert len(history([{"call_id": "a"}], many, OPENED, NOW)) == RECENT_CALLS
