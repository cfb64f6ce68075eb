"""The command line: serve, demo, config."""

import asyncio
import gc
import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from voicegate import __version__
from voicegate.config import Config, ConfigError, load, require_key
from voicegate.logs import get_logger, set_up_logging
from voicegate.windows import (
    ignore_stop_signals,
    new_event_loop,
    stop_signals,
    use_utf8_output,
)

EXIT_FAILED = 1
EXIT_USAGE = 2

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
log = get_logger("voicegate")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file with settings; the environment wins over it."),
]


def main() -> None:
    """Run the command line; what nobody foresaw is logged and ends with exit code 1."""
    use_utf8_output()
    try:
        app()
    except Exception as error:  # the edge of the program
        log.error("voicegate failed", exc_info=error)
        sys.exit(EXIT_FAILED)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Carry SIP calls to Gemini Live."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def serve(config: ConfigFile = None) -> None:
    """Answer calls until Ctrl+C (once: let the present calls end; twice: hang up)."""
    settings = _load(config)
    try:
        require_key(settings)
    except ConfigError as error:
        _usage(str(error))
    set_up_logging()
    for name in settings.unserved():
        log.warning("setting has no effect in this version", setting=name)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Config) -> None:
    from voicegate.gateway import CannotListen, Gateway  # after the check: it loads much

    gateway = Gateway(settings)
    # what was imported stays for good: a full collection that walks it all holds every call up
    gc.collect()
    gc.freeze()
    with stop_signals(gateway.drain):
        try:
            await gateway.serve()
        except CannotListen as error:
            _usage(str(error))
    ignore_stop_signals()


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the evidence.")] = Path("demo"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Talk to the real service (needs GEMINI_API_KEY).")
    ] = False,
) -> None:
    """Make two calls on this machine, without a key, a PBX or a phone; keep what was heard."""
    from voicegate.demo import run_demo  # loads the simulator, which `serve` never does

    try:
        passed = run_demo(out, as_json=as_json, live=live)
    except ConfigError as error:
        _usage(str(error))
    raise typer.Exit(0 if passed else EXIT_FAILED)


@app.command("config")
def show_config(config: ConfigFile = None) -> None:
    """Print the settings in effect, secrets hidden."""
    for section, values in _load(config).model_dump(mode="json").items():
        typer.echo(f"[{section}]")
        for key, value in values.items():
            typer.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}")
        typer.echo()


def _load(path: Path | None) -> Config:
    try:
        return load(path)
    except ConfigError as error:
        _usage(str(error))


def _usage(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_USAGE)
