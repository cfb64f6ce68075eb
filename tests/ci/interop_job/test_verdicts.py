"""What must hold after calls."""

import json
from typing import Any

import pytest

from ci.interop_job.verdicts import NEVER_LOGGED, faults_in, left_behind, summary

GOOD_LINE = json.dumps({"event": "call ended", "reason": "caller_bye", "level": "info"})
START: dict[str, Any] = {
    "calls": 0,
    "gemini_sessions": 0,
    "threads": ["MainThread", "voicegate-blocking_0"],
    "tasks": ["admit", "admit", "serve"],
    "sockets": 1,
    "files": 2,
    "rtp_ports": {"lent": 0, "resting": 0},
}


def test_an_ordinary_log_holds_no_fault() -> None:
    assert faults_in(f"{GOOD_LINE}\n{GOOD_LINE}\n") == []
    assert faults_in("") == []


@pytest.mark.parametrize("words", NEVER_LOGGED)
def test_words_of_the_old_troubles_are_found_anywhere(words: str) -> None:
    bad = json.dumps({"event": "asyncio", "exception": f"x {words} y", "level": "info"})

    assert faults_in(f"{GOOD_LINE}\n{bad}\n{GOOD_LINE}") == [bad]
    assert faults_in(f"no JSON at all: {words}") == [f"no JSON at all: {words}"]


@pytest.mark.parametrize("level", ["error", "critical"])
def test_a_line_of_a_bad_level_is_a_fault(level: str) -> None:
    found = faults_in(json.dumps({"event": "the voice failed", "level": level}))

    assert len(found) == 1
    assert found[0].startswith(f"{level}: the voice failed")


def test_a_fault_is_cut_to_a_line_that_can_be_read() -> None:
    assert [len(line) for line in faults_in("Traceback" + 1000 * "x")] == [300]


def test_the_same_as_at_the_start_leaves_nothing() -> None:
    turned = START | {"tasks": ["serve", "admit", "admit"], "rtp_ports": {"lent": 0, "resting": 9}}

    assert left_behind(START, START) == []
    assert left_behind(START, turned) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"calls": 2}, ["2 calls"]),
        ({"gemini_sessions": 1}, ["1 gemini_sessions"]),
        ({"rtp_ports": {"lent": 3, "resting": 0}}, ["3 rtp ports lent"]),
        ({"tasks": ["admit", "admit", "admit", "admit", "serve"]}, ["tasks +2 admit"]),
        ({"tasks": ["admit", "serve"]}, ["tasks -1 admit"]),
        (
            {"threads": ["MainThread", "call-7"]},
            ["threads +1 call-7", "threads -1 voicegate-blocking_0"],
        ),
        ({"sockets": 2}, ["sockets 1 -> 2"]),
        ({"files": 5}, ["files 2 -> 5"]),
    ],
)
def test_each_thing_left_is_named(change: dict[str, Any], told: list[str]) -> None:
    assert left_behind(START, START | change) == told


def test_a_call_that_was_there_before_is_no_excuse() -> None:
    with_call = START | {"calls": 1}

    assert left_behind(with_call, with_call) == ["1 calls"]


def test_a_sample_fits_a_line() -> None:
    assert summary(START) == ("0 calls, 0 Gemini sessions, 2 threads, 3 tasks, 1 sockets, 2 files")
