"""Options that several commands have, as typer wants them: parser, metavar and help beside each."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from simulator.audio.sound import Sound
from simulator.commands.addresses import HostPort, Target, parse_listen, parse_target
from simulator.commands.sounds import parse_speak

T = TypeVar("T")


def parsed_by(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a parser that raises ValueError one of the command line (exit code 2, its words)."""

    def parse_or_refuse(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse_or_refuse


TargetUri = Annotated[
    Target,
    typer.Argument(
        parser=parsed_by(parse_target), metavar="sip:[USER@]HOST[:PORT]", help="Whom to call."
    ),
]
Speak = Annotated[
    Sound,
    typer.Option(
        parser=parsed_by(parse_speak),
        metavar="WORDS|FILE.wav|stamps|silence",
        help="What a caller says; words become a voice-like sound of 0.35 s each, stamps tell"
        " who is heard.",
    ),
]
Number = Annotated[str, typer.Option(help="Number to dial; else the URI's user, else 1000.")]
Profile = Annotated[str, typer.Option(help="Make of gate: a name of docs/gatesim.md.")]
Listen = Annotated[
    HostPort,
    typer.Option(
        parser=parsed_by(parse_listen), metavar="HOST:PORT", help="Port 0 takes a free one."
    ),
]
GeminiListen = Annotated[
    HostPort | None,
    typer.Option(
        parser=parsed_by(parse_listen),
        metavar="HOST:PORT",
        help="Be the gateway's Gemini, too: stamps are checked both ways.",
    ),
]
Certificates = Annotated[
    Path | None,
    typer.Option(
        help="Folder that keeps the fake Gemini's certificates; else ~/.voicegate/certificates."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Nothing but JSON on stdout.")]
