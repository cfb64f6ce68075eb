"""From pytest's word on a test to a row of the list, seen through a real run of pytest."""

import json
import subprocess
import sys
from typing import Any

import pytest

TESTS = """
import pytest

@pytest.mark.acceptance("1 first row")
def test_passes():
    pass

@pytest.mark.acceptance("2 second row")
def test_fails():
    assert 1 == 2, "one is not two"

@pytest.fixture
def broken_at_the_end():
    yield
    raise AssertionError("the gate found something")

@pytest.mark.acceptance("3 third row")
def test_fails_at_its_end(broken_at_the_end):
    pass

def test_not_here():
    pytest.skip("not testable: the voice is not ours")

def test_left_out():
    pytest.skip("too long for today")
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "test_rows.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(
        [*command, "--report", str(folder / "evidence")],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    found: dict[str, Any] = json.loads((folder / "evidence" / "run.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize(
    ("row", "outcome", "message"),
    [
        ("1 first row", "passed", ""),
        ("2 second row", "failed", "AssertionError: one is not two"),
        ("3 third row", "failed", "AssertionError: the gate found something"),
        ("rows: not here", "not testable", "not testable: the voice is not ours"),
        ("rows: left out", "skipped", "too long for today"),
    ],
)
def test_each_test_is_one_row_with_its_reason(
    record: dict[str, Any], row: str, outcome: str, message: str
) -> None:
    [found] = [check for check in record["checks"] if check["name"] == row]
    assert (found["outcome"], found["message"]) == (outcome, message)


def test_the_verdict_is_no_greener_than_the_run(record: dict[str, Any]) -> None:
    assert record["verdict"] == "failed"
    assert record["exit_code"] == 1
