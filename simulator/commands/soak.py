"""`gatesim soak`: many calls, some at once, each with a voice of its own; what became of them."""

import math
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.audio.sound import Sound
from simulator.commands.addresses import (
    DEFAULT_NUMBER,
    HostPort,
    Target,
    local_host,
    parse_user,
    resolve,
)
from simulator.commands.gemini import open_fake, tell_environment
from simulator.commands.load import Load, LoadPlan
from simulator.commands.one_call import CallPlan
from simulator.commands.options import (
    AsJson,
    Certificates,
    GeminiListen,
    Number,
    Profile,
    Speak,
    TargetUri,
)
from simulator.commands.resources import (
    Resources,
    Unreadable,
    left_behind,
    read_resources,
    read_when_back,
)
from simulator.commands.running import Stop, run
from simulator.commands.terminal import (
    EXIT_FAILED,
    EXIT_NOT_CONNECTED,
    EXIT_PASSED,
    Screen,
    refuse,
)
from simulator.gate.caller import NoAnswer
from simulator.gate.gate import SimulatedGate
from simulator.gate.profile import load_profile

if TYPE_CHECKING:
    from simulator.commands.model_side import ModelSide

RATE_MAX = 50
"""More new calls a second are refused: a soak is no attack."""
OPTIONS_PATIENCE_S = 5.0
STAMPED_CALL_MIN_S = 3.0
STAMPS_MISSED = 2
"""Of one stamp a second: one for the way through the gateway, one cut by the end."""
SHOWN = 10


@dataclass(frozen=True)
class SoakPlan:
    """What the command line asked for."""

    target: Target
    """The gateway."""
    profile: str
    """The make of gate."""
    load: LoadPlan
    """How many calls, of which kind."""
    resources: str
    """URL of the gateway's /resources, empty for none."""
    settle_s: float
    """How long the resources may take to go back."""
    gemini_listen: HostPort | None
    """Where to run the fake Gemini that the gateway talks to."""
    certificates: Path | None
    """The fake's certificate folder."""


def soak(
    target: TargetUri,
    calls: Annotated[int, typer.Option(min=1, max=10_000, help="Calls in all.")] = 50,
    concurrency: Annotated[int, typer.Option(min=1, max=500, help="Calls at once.")] = 10,
    call_s: Annotated[float, typer.Option(min=0.5, max=3600, help="Length of a call.")] = 5.0,
    rate: Annotated[
        float, typer.Option(min=0.01, max=RATE_MAX, help="New calls a second, at most.")
    ] = 10.0,
    number: Number = "",
    speak: Speak = "stamps",  # type: ignore[assignment] # typer parses defaults as well
    profile: Profile = "chan_sip",
    resources: Annotated[
        str, typer.Option(metavar="URL", help="The gateway's /resources, read before and after.")
    ] = "",
    settle_s: Annotated[
        float, typer.Option(min=0, max=120, help="So long the resources may take to go back.")
    ] = 10.0,
    gemini_listen: GeminiListen = None,
    certificates: Certificates = None,
    as_json: AsJson = False,
) -> None:
    """Make many calls and judge each: answered, heard, and nothing left behind."""
    try:
        load_profile(profile)
        dialled = parse_user(number or target.user or DEFAULT_NUMBER)
    except ValueError as error:
        refuse(str(error))
    if gemini_listen is not None and (call_s < STAMPED_CALL_MIN_S or speak.name[:6] != "stamps"):
        refuse(f"--gemini-listen needs --speak stamps and --call-s {STAMPED_CALL_MIN_S:g} or more")
    if resources and not resources.startswith(("http://", "https://")):
        refuse(f"--resources {resources}: no URL such as http://127.0.0.1:8080/resources")
    plan = SoakPlan(
        target=target,
        profile=profile,
        load=LoadPlan(
            calls=calls,
            concurrency=concurrency,
            rate=rate,
            call=CallPlan(number=dialled, speak=speak, listen_s=_listen_s(call_s, speak)),
            stamps_at_least=max(1, int(call_s) - STAMPS_MISSED),
        ),
        resources=resources,
        settle_s=settle_s,
        gemini_listen=gemini_listen,
        certificates=certificates.resolve() if certificates is not None else None,
    )
    screen = Screen(as_json=as_json)
    raise typer.Exit(run(lambda stop: _soak(plan, screen, stop)))


def _listen_s(call_s: float, speak: Sound) -> float:
    """Give what is left of the call after the last word."""
    return call_s if math.isinf(speak.duration_s) else max(0.1, call_s - speak.duration_s)


async def _soak(plan: SoakPlan, screen: Screen, stop: Stop) -> int:
    async with AsyncExitStack() as owned:
        model = await _open_model(owned, plan, screen)
        try:
            where = await resolve(plan.target)
            gate = SimulatedGate(local_host(where), gateway=where, profile=plan.profile)
            await owned.enter_async_context(gate)
            await gate.options(OPTIONS_PATIENCE_S)
            before = await read_resources(plan.resources) if plan.resources else None
        except (NoAnswer, Unreadable) as error:
            return _not_connected(screen, plan, str(error))
        except OSError as error:
            return _not_connected(screen, plan, f"{plan.target.host}: {error.strerror or error}")
        load = Load(gate, plan.load, model, screen, stop)
        await load.run()
        resources = await _compared(plan, before) if before is not None else None
    ok = load.passed and (resources is None or resources["left_behind"] == [])
    summary = {"ok": ok, "target": str(plan.target), **load.summary(), "resources": resources}
    _show(screen, summary)
    return EXIT_PASSED if ok else EXIT_FAILED


async def _open_model(owned: AsyncExitStack, plan: SoakPlan, screen: Screen) -> "ModelSide | None":
    if plan.gemini_listen is None:
        return None
    from simulator.commands.model_side import ModelSide

    fake = await open_fake(owned, plan.gemini_listen, plan.certificates)
    tell_environment(fake, screen)
    return ModelSide(fake)


async def _compared(plan: SoakPlan, before: Resources) -> dict[str, Any]:
    """Give the resources before and after; left_behind is None where they cannot be read."""
    try:
        after = await read_when_back(plan.resources, before, plan.settle_s)
    except Unreadable as error:
        return {"before": before, "after": None, "left_behind": None, "error": str(error)}
    return {"before": before, "after": after, "left_behind": left_behind(before, after)}


def _not_connected(screen: Screen, plan: SoakPlan, why: str) -> int:
    screen.line(why, style="red")
    if screen.as_json:
        screen.json({"ok": False, "target": str(plan.target), "error": why})
    return EXIT_NOT_CONNECTED


def _show(screen: Screen, summary: dict[str, Any]) -> None:
    if screen.as_json:
        screen.json(summary)
        return
    calls, resources = summary["calls"], summary["resources"]
    rows: dict[str, object] = {
        "calls": f"{calls['ok']} ok of {calls['wanted']}, {calls['most_at_once']} at once",
        "success": f"{summary['success_percent']} %",
        "set-up p50 / p99": _two(summary["setup_ms"]),
        "RTP interval p50 / p99": _two(summary["rtp_interval_ms"]),
        "RTP lost": summary["rtp_lost"],
        "violations": sum(summary["violations"].values()) + len(summary["model_violations"]),
    }
    if resources is not None:
        left = resources["left_behind"]
        rows["left behind"] = resources["error"] if left is None else ", ".join(left) or "nothing"
    if summary["tester_frames_skipped"]:
        skipped = summary["tester_frames_skipped"]
        rows["this tester was late"] = f"{skipped} frames not sent: trust no figure here"
    screen.facts(f"soak of {summary['target']}, {summary['seconds']} s", rows)
    for kind, count in summary["failures"].items():
        screen.line(f"failed {count} times: {kind}", style="red")
    for failed in summary["failed_calls"][:SHOWN]:
        screen.line(f"call {failed['call']}: {'; '.join(failed['failures'])}", style="red")
    for text in summary["violation_texts"] + summary["model_violations"]:
        screen.line(f"violation: {text}", style="red")
    screen.line("ok" if summary["ok"] else "FAILED", style="green" if summary["ok"] else "red")


def _two(figures: dict[str, float | None]) -> str | None:
    return None if figures["p50"] is None else f"{figures['p50']} / {figures['p99']} ms"
