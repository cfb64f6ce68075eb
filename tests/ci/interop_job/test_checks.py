"""What is printed, and what the job's exit code says."""

import pytest

from ci.interop_job.checks import Checks


def test_all_passed(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()

    assert checks.check("calls", True, "100 of 100")
    assert checks.close() == 0
    assert capsys.readouterr().out.splitlines() == [
        "PASS  calls: 100 of 100",
        "interop passed: 1 checks passed, 0 failed, 0 skipped",
    ]


def test_one_failed_check_fails_the_job(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()
    checks.check("calls", True, "100 of 100")

    assert not checks.check("log", [], "a bad line")
    assert checks.close() == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "FAIL  log: a bad line",
        "FAILED: log",
        "interop FAILED: 1 checks passed, 1 failed, 0 skipped",
    ]


def test_what_was_skipped_is_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()

    assert checks.skipped_for_want_of("sipp", "sipp is not installed")
    assert not checks.skipped_for_want_of("baresip", "")
    assert checks.close() == 0
    assert capsys.readouterr().out.splitlines() == [
        "SKIPPED sipp: sipp is not installed",
        "SKIPPED, NOT CHECKED: sipp",
        "interop CHECKED NOTHING: 0 checks passed, 0 failed, 1 skipped",
    ]


def test_lines_are_plain_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    Checks().check("name", True, "Sofia \u0421\u043e\u0444\u0438\u044f")

    assert capsys.readouterr().out.isascii()
