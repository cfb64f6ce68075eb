"""What two runs of the scenarios told, compared."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ci.repeat import KERNEL, verdict

CHOSEN = "scenarios/test_caller_hangs_up.py"


def test_runs_that_told_the_same_are_good_though_the_first_took_more() -> None:
    assert verdict([{"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "2"}]) == ([], 2)


def test_a_difference_is_named() -> None:
    assert verdict([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]) == (["DIFFERS  b"], 1)


def test_a_test_that_the_first_run_did_not_know_is_named() -> None:
    assert verdict([{"a": "1"}, {"a": "1", "b": "3"}]) == (["MISSING  b"], 1)


def test_what_the_kernel_decides_may_differ_and_counts_for_nothing() -> None:
    [name] = KERNEL
    assert verdict([{name: "1"}, {name: "2"}]) == ([], 0)


def test_every_scenario_leaves_a_hash(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", CHOSEN, "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-p", "ci.told", "--told", tmp_path],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "main.json").read_text())
    assert told
    assert all(len(found) == 16 for found in told.values())
