"""`gatesim accept` as an integrator runs it; the whole list is run by ci/accept.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.commands.processes import refused


def gatesim(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", "accept", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--gateway", "sip:127.0.0.1:1", "--gate", "sip:100@127.0.0.1", "--dial", "1000"),
        ("--gate", "sip:100@127.0.0.1"),
        ("--dial", "1000"),
        ("--gateway", "127.0.0.1:5060"),
        ("--gateway", "sip:127.0.0.1:5060", "--gemini-listen", "9443"),
    ],
)
def test_a_target_that_is_not_named_rightly_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert "HOST:PORT" in refused("accept", *arguments)


def test_nobody_there_ends_with_3_and_the_question(tmp_path: Path) -> None:
    done = gatesim("--gateway", "sip:127.0.0.1:9", "--wait-s", "0.1", cwd=tmp_path)
    assert done.returncode == 3
    assert "is the gateway running there?" in done.stdout
