"""The command line `gatesim`: one sub-command, one file in `simulator/commands/`."""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = ("call", "gate", "gemini", "soak", "accept")


class OnDemand(TyperGroup):
    """Loads a command when it is asked for: some bring google-genai or pytest with them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Give the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """Give one command, None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(cmd_name)(getattr(import_module(f"simulator.commands.{cmd_name}"), cmd_name))
        return typer.main.get_command(alone)


app = typer.Typer(
    cls=OnDemand,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Be the world around a voice gateway: a SIP gate with its callers, and a fake Gemini Live.

    Exit codes: 0 pass, 1 failed check, 2 usage, 3 could not connect.
    """


def main() -> None:
    """Run the command line."""
    use_utf8_output()
    app()


def use_utf8_output() -> None:
    """Let no character end the program: Windows consoles and services default to cp1252."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
