"""`gatesim gate`: a long-lived gate, driven by JSON lines where a load generator wants calls."""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from simulator.commands.addresses import (
    HostPort,
    local_host,
    parse_gateway,
    parse_listen,
    resolve,
)
from simulator.commands.driving import Driver
from simulator.commands.lines import LineReader
from simulator.commands.options import AsJson, Profile, parsed_by
from simulator.commands.running import Stop, run
from simulator.commands.terminal import (
    EXIT_NOT_CONNECTED,
    EXIT_PASSED,
    Screen,
    refuse,
)
from simulator.gate.gate import SimulatedGate
from simulator.gate.profile import load_profile

ANY = HostPort("", 0)


def gate(
    gateway: Annotated[
        HostPort,
        typer.Option(
            parser=parsed_by(parse_gateway), metavar="HOST:PORT", help="The gateway it belongs to."
        ),
    ],
    listen: Annotated[
        HostPort | None,
        typer.Option(
            parser=parsed_by(parse_listen),
            metavar="HOST:PORT",
            help="Own SIP address; else the one that reaches the gateway, on a free port.",
        ),
    ] = None,
    profile: Profile = "chan_sip",
    qualify_s: Annotated[
        float, typer.Option(min=0, max=3600, help="Send OPTIONS in this period; 0 for none.")
    ] = 10.0,
    calls_from_stdin: Annotated[
        bool, typer.Option("--calls-from-stdin", help="Obey JSON lines, see docs/gatesim.md.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Be a SIP gate until Ctrl+C (or the end of the commands): qualify, and call on demand."""
    try:
        load_profile(profile)
    except ValueError as error:
        refuse(str(error))
    screen = Screen(as_json=as_json or calls_from_stdin)
    reader = LineReader(sys.stdin.fileno()) if calls_from_stdin else None
    raise typer.Exit(
        run(lambda stop: _gate(gateway, listen or ANY, profile, qualify_s, reader, screen, stop))
    )


async def _gate(
    gateway: HostPort,
    listen: HostPort,
    profile: str,
    qualify_s: float,
    reader: LineReader | None,
    screen: Screen,
    stop: Stop,
) -> int:
    async with AsyncExitStack() as owned:
        try:
            where = await resolve(gateway)
            host = (await resolve(listen)).host if listen.host else local_host(where)
        except OSError as error:
            screen.line(f"{gateway}: {error.strerror or error}", style="red")
            return EXIT_NOT_CONNECTED
        if host == "0.0.0.0":
            refuse("--listen 0.0.0.0: the gateway must be told one address, name it")
        try:
            simulated = await owned.enter_async_context(
                SimulatedGate(
                    host,
                    listen.port,
                    gateway=where,
                    profile=profile,
                    qualify_s=qualify_s or None,
                )
            )
        except OSError as error:
            refuse(f"--listen {listen}: {error.strerror or error}")
        _announce(simulated, where, profile, screen)
        if reader is None:
            await _watch(simulated, qualify_s, screen, stop)
            _report(simulated, screen)
        else:
            driver = Driver(simulated, screen, stop)
            await driver.run(reader)
            screen.json({"report": driver.totals()})
    return EXIT_PASSED


def _announce(simulated: SimulatedGate, gateway: HostPort, profile: str, screen: Screen) -> None:
    own = HostPort(*simulated.address)
    if screen.as_json:
        facts = {"address": str(own), "gateway": str(gateway), "profile": profile}
        screen.json({"gate": facts})
    else:
        screen.line(f"the gate ({profile}) is at {own}, its gateway at {gateway}")


async def _watch(simulated: SimulatedGate, period_s: float, screen: Screen, stop: Stop) -> None:
    """Tell each change of the gateway's state, as an Asterisk console does."""
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(simulated, period_s, screen), name="gate/qualify")
        await stop.wait()
        telling.cancel()


async def _tell(simulated: SimulatedGate, period_s: float, screen: Screen) -> None:
    last: int | str | None = "unknown"
    while period_s:
        await asyncio.sleep(period_s)
        if not simulated.qualified or simulated.qualified[-1] == last:
            continue
        last = simulated.qualified[-1]
        if screen.as_json:
            screen.json({"qualify": {"status": last}})
        else:
            state = "unreachable" if last is None else f"answers OPTIONS with {last}"
            screen.line(f"the gateway {state}", style="red" if last is None else "")


def _report(simulated: SimulatedGate, screen: Screen) -> None:
    statuses = simulated.qualified
    answered = sum(status is not None for status in statuses)
    if screen.as_json:
        asked = {"sent": len(statuses), "answered": answered}
        texts = [str(one) for one in simulated.violations]
        screen.json({"report": {"qualify": asked, "violations": texts}})
        return
    screen.line(f"{answered} of {len(statuses)} OPTIONS answered")
    for violation in simulated.violations:
        screen.line(f"violation: {violation}", style="red")
