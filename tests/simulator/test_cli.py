"""The frame of `gatesim`: its commands, its costs, its output."""

import io
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from simulator.cli import app, use_utf8_output


def test_the_commands_of_the_contract_are_there() -> None:
    shown = CliRunner().invoke(app, ["--help"])

    assert shown.exit_code == 0
    for command in ("call", "gate", "gemini", "soak", "accept"):
        assert f" {command} " in shown.output
    assert "3 could not connect" in shown.output


def test_each_command_can_speak_json() -> None:
    for command in ("call", "gate", "gemini", "soak", "accept"):
        assert "--json" in CliRunner().invoke(app, [command, "--help"], color=False).output


def test_an_unknown_command_is_a_wrong_use() -> None:
    assert CliRunner().invoke(app, ["dance"]).exit_code == 2


@pytest.mark.parametrize("command", ["call", "gate", "gemini", "soak"])
def test_a_command_loads_what_it_needs(command: str) -> None:
    """google-genai costs a second and 60 MB; the gateway is nobody's here."""
    code = (
        "import sys; from typer.testing import CliRunner; from simulator.cli import app;"
        f"assert CliRunner().invoke(app, ['{command}', '--help']).exit_code == 0;"
        "heavy = ('google.genai', 'aiohttp', 'pytest', 'voicegate');"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_no_character_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(octets, encoding="cp1252"))

    use_utf8_output()
    sys.stdout.write("→ \udc80")
    sys.stdout.flush()

    assert octets.getvalue() == "→ \\udc80".encode()
