"""The command line: serve, call, demo, check, config, service."""

import asyncio
import gc
import io
import ipaddress
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from voicegate import __version__
from voicegate.config import Config, ConfigError, load
from voicegate.logs import get_logger, set_up_logging
from voicegate.sip.message import Address
from voicegate.windows import (
    ignore_stop_signals,
    new_event_loop,
    reload_signal,
    stop_signals,
    use_utf8_output,
)

EXIT_FAILED = 1
EXIT_USAGE = 2
SIP_PORT = 5060
SECRET_IN_URL = re.compile(r"(?<=://)[^/@\s\"]+(?=@)|(?<=[\w/]\?)[^\s\"]+=[^\s\"]+")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
log = get_logger("voicegate")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file with settings; the environment wins over it."),
]
Gates = Annotated[
    list[str] | None, typer.Option("--gate", help="ADDRESS[:PORT] of a gate to ask; repeatable.")
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
    """Answer calls until Ctrl+C (once: let the present calls end; twice: hang up).

    SIGHUP takes what may change between calls from the settings as they are now.
    """
    settings = _load(config)
    _refuse_to_start(settings)
    set_up_logging()
    for name in settings.unserved():
        log.warning("setting has no effect in this version", setting=name)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(settings, partial(load, config)))


def _refuse_to_start(settings: Config) -> None:
    """End where the host lacks what every call needs; each line names the mend."""
    from voicegate.host.check import fatal_findings

    if found := fatal_findings(settings):
        _usage("\n".join(str(one) for one in found))


async def _serve(settings: Config, read_again: Callable[[], Config]) -> None:
    from voicegate.gateway import CannotListen, Gateway  # after the check: it loads much

    try:
        gateway = Gateway(settings, read_again=read_again)
    except ConfigError as error:
        _usage(str(error))
    # what was imported stays for good: a full collection that walks it all holds every call up
    gc.collect()
    gc.freeze()
    with stop_signals(gateway.drain), reload_signal(gateway.plans.ask_to_reload):
        try:
            await gateway.serve()
        except CannotListen as error:
            _usage(str(error))
    ignore_stop_signals()


@app.command()
def call(
    number: Annotated[str, typer.Argument(help="Whom to call, such as +359888123456.")],
    config: ConfigFile = None,
    admin: Annotated[
        str | None,
        typer.Option(help="Where the gateway is asked; as [admin] says by default.", metavar="URL"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Have the running gateway call somebody; say whether the call is answered, or why not.

    Exit code 0 answered, 1 not answered, 2 refused by the gateway, 3 no gateway there.
    """
    from voicegate.admin.asking import order_call, place_of

    settings = _load(config)
    if admin is None and settings.admin.port == 0:
        _usage("admin.port = 0 is a free port that only the gateway knows: name it with --admin")
    place, token = admin or place_of(settings.admin), settings.admin.token.get_secret_value()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        order = order_call(place.rstrip("/"), token, number, settings.sip.ring_limit_s)
        ordered = runner.run(order)
    if as_json:
        typer.echo(json.dumps(asdict(ordered)))
    else:
        typer.echo(ordered.text, err=ordered.code > EXIT_FAILED)
    raise typer.Exit(ordered.code)


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


@app.command()
def check(
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    gate: Annotated[
        list[str] | None,
        typer.Option("--gate", help="ADDRESS[:PORT] of a gate to ask, repeatable."),
    ] = None,
    calls: Annotated[bool, typer.Option(help="Make two test calls over loopback.")] = True,
) -> None:
    """Look at this host, the model and the gate; say what is wrong and how to mend it."""
    from voicegate.host.check import findings
    from voicegate.host.findings import Finding, as_json_object, passed

    settings = _load(config)
    gates = tuple(_gate(text) for text in gate or ())

    async def look() -> list[Finding]:
        found = []
        async for one in findings(settings, gates, _two_calls if calls else None):
            found.append(one)
            if not as_json:
                typer.echo(str(one))
        return found

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        found = runner.run(look())
    if as_json:
        typer.echo(json.dumps(as_json_object(found), indent=2))
    raise typer.Exit(0 if passed(found) else EXIT_FAILED)


async def _two_calls() -> dict[str, Any]:
    """Make the demo's calls, without a word."""
    from rich.console import Console

    from voicegate.demo import World

    set_up_logging(io.StringIO())
    return await World(Console(quiet=True), live=False).run()


def _gate(text: str) -> Address:
    """Read ADDRESS[:PORT]; an IPv6 address with a port stands in brackets."""
    host, port = text.removeprefix("sip:").rpartition("@")[2], SIP_PORT
    if host.count(":") == 1 or "]:" in host:
        host, _, number = host.rpartition(":")
        port = int(number) if number.isdecimal() else 0
    host = host.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        _usage(f"--gate {text}: write an address such as 192.168.1.20 or 192.168.1.20:5060")
    return Address(host, port)


class System(StrEnum):
    """Where a service runs."""

    WINDOWS = "windows"
    SYSTEMD = "systemd"


class Wrapper(StrEnum):
    """What runs a service on Windows."""

    WINSW = "winsw"
    NSSM = "nssm"


@app.command()
def service(
    system: Annotated[System, typer.Argument(help="Where it is to run.")],
    config: ConfigFile = None,
    wrapper: Annotated[
        Wrapper, typer.Option("--with", help="Windows: what runs it.")
    ] = Wrapper.WINSW,
) -> None:
    """Print the service's file on stdout, and on stderr what is to be done with it."""
    from voicegate.host import service as texts

    settings, windows = _load(config), system is System.WINDOWS
    place = texts.place(windows=windows, config=config)
    if not windows:
        typer.echo(texts.systemd_unit(settings, place), nl=False)
        typer.echo(texts.systemd_steps(settings, place), err=True, nl=False)
        return
    text = texts.winsw_xml if wrapper is Wrapper.WINSW else texts.nssm_lines
    typer.echo(text(settings, place), nl=False)
    typer.echo(texts.windows_steps(settings, place), err=True, nl=False)


@app.command("config")
def show_config(
    config: ConfigFile = None,
    init: Annotated[
        bool, typer.Option("--init", help="Write a commented settings file (--config names it).")
    ] = False,
) -> None:
    """Print the settings in effect, secrets hidden; or write a settings file to begin with."""
    if init:
        _write_settings(config or Path("voicegate.toml"))
        return
    from voicegate.planning import Planner  # loads much, as `serve` does

    settings = _load(config)
    try:
        Planner(settings)
    except ConfigError as error:
        _usage(str(error))
    for section, values in settings.model_dump(mode="json", exclude_none=True).items():
        for table in values if isinstance(values, list) else [values]:
            typer.echo(f"[[{section}]]" if isinstance(values, list) else f"[{section}]")
            for key, value in table.items():
                text = json.dumps(value, ensure_ascii=False)
                typer.echo(f"{key} = {SECRET_IN_URL.sub('**********', text)}")
            typer.echo()


def _write_settings(path: Path) -> None:
    from voicegate.host.template import settings_file

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(settings_file(Config))
    except FileExistsError:
        _usage(f"{path}: exists; nothing was written. Name another file with --config")
    except OSError as error:
        _usage(f"{path}: {error.strerror}")
    typer.echo(f"{path} written; edit it, then: voicegate check --config {path}")


def _load(path: Path | None) -> Config:
    try:
        return load(path)
    except ConfigError as error:
        _usage(str(error))


def _usage(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_USAGE)
