"""Commands as processes, and a gateway for them to call."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from simulator.cli import app
from tests.wine import not_under_wine

ECHO = {
    "VOICEGATE_VOICE__BACKEND": "echo",
    "VOICEGATE_SIP__PORT": "0",
    "VOICEGATE_ADMIN__PORT": "0",
    "VOICEGATE_MEDIA__RTP_PORTS": "[28000, 28198]",
}
LIMIT_S = 60
interrupts = not_under_wine("sends no Ctrl+Break to a child")
"""Tests that tell a process to end, by Ctrl+C."""


def environment(**variables: str) -> dict[str, str]:
    steering = ("VOICEGATE_", "GEMINI_", "GOOGLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | variables


def gatesim(*arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `said` goes to its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        input=said,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=LIMIT_S,
        check=False,
    )


def refused(*arguments: str) -> str:
    """The words with which a wrong use is refused, in one line; checks exit code and stdout."""
    run = CliRunner().invoke(app, arguments)
    assert (run.exit_code, run.stdout) == (2, ""), run.output
    return " ".join(run.stderr.replace("│", " ").split())


def only_json(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a command wrote to stdout: one JSON object and nothing else."""
    found = json.loads(run.stdout)
    assert isinstance(found, dict)
    assert run.stdout.count("\n") == 1
    return found


@contextmanager
def running_gatesim(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to stop; killed at the end if need be."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP  # else Ctrl+Break would reach us too
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
        creationflags=flags,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell_to_end(process: subprocess.Popen[str]) -> None:
    """Press Ctrl+C; on Windows Ctrl+Break, as that alone reaches another group."""
    stop: int = signal.SIGINT
    if sys.platform == "win32":
        stop = signal.CTRL_BREAK_EVENT
    process.send_signal(stop)


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Tell it to end; give what it still wrote."""
    tell_to_end(process)
    return process.communicate(timeout=LIMIT_S)


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[dict[str, Any]]:
    """A gateway of its own process; gives the fields of its log lines up to "gateway ready"."""
    with subprocess.Popen(
        [sys.executable, "-m", "voicegate", "serve"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=folder,
        env=environment(**variables),
    ) as process:
        try:
            assert process.stderr is not None
            yield _ready(process.stderr)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=10)
            finally:
                process.kill()


def _ready(log: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for line in log:
        entry = json.loads(line)
        seen[entry["event"]] = entry
        if entry["event"] == "gateway ready":
            return seen
    raise AssertionError(f"the gateway ended before it was ready: {list(seen)}")
