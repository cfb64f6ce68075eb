"""`gatesim call`: one call to a running gateway, and what became of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from simulator.audio.wav import write_stereo
from simulator.commands.addresses import (
    DEFAULT_NUMBER,
    Target,
    local_host,
    parse_user,
    resolve,
)
from simulator.commands.one_call import RATE_HZ, CallPlan, CallResult, carry, judge, lanes
from simulator.commands.options import AsJson, Number, Profile, Speak, TargetUri
from simulator.commands.running import Stop, run
from simulator.commands.terminal import (
    EXIT_FAILED,
    EXIT_NOT_CONNECTED,
    EXIT_PASSED,
    Screen,
    refuse,
)
from simulator.gate.gate import SimulatedGate
from simulator.gate.profile import load_profile
from simulator.pcap import Tape

LISTEN_MAX_S = 3600


@dataclass(frozen=True)
class Evidence:
    """What is kept of a call."""

    wav: Path | None
    """The recording: caller left, gateway right."""
    pcap: Path | None
    """All packets."""


def call(
    target: TargetUri,
    speak: Speak = "stamps",  # type: ignore[assignment] # typer parses defaults as well
    listen_s: Annotated[
        float,
        typer.Option(
            min=0.1, max=LISTEN_MAX_S, help="Stay so long after the last word (or the answer)."
        ),
    ] = 5.0,
    speak_after_s: Annotated[
        float, typer.Option(min=0, max=LISTEN_MAX_S, help="Say nothing for so long at first.")
    ] = 0.0,
    number: Number = "",
    caller: Annotated[str, typer.Option(help="Number of the caller.")] = "100",
    profile: Profile = "chan_sip",
    answer_within_s: Annotated[
        float, typer.Option(min=0.5, max=180, help="Wait so long for the answer.")
    ] = 10.0,
    expect_audio: Annotated[
        bool,
        typer.Option(
            "--expect-audio/--no-expect-audio", help="Whether hearing nothing is a failure."
        ),
    ] = True,
    wav: Annotated[Path | None, typer.Option(help="Keep the sound: caller left.")] = None,
    pcap: Annotated[Path | None, typer.Option(help="Keep the packets.")] = None,
    as_json: AsJson = False,
) -> None:
    """Call a gateway once, speak, listen, and judge what comes back."""
    try:
        load_profile(profile)
        dialled = parse_user(number or target.user or DEFAULT_NUMBER)
        plan = CallPlan(
            number=dialled,
            speak=speak,
            listen_s=listen_s,
            caller=parse_user(caller),
            speak_after_s=speak_after_s,
            answer_within_s=answer_within_s,
            expect_audio=expect_audio,
        )
    except ValueError as error:
        refuse(str(error))
    screen, kept = Screen(as_json=as_json), Evidence(wav, pcap)
    raise typer.Exit(run(lambda stop: _call(target, plan, profile, kept, screen, stop)))


async def _call(
    target: Target, plan: CallPlan, profile: str, kept: Evidence, screen: Screen, stop: Stop
) -> int:
    tape = Tape() if kept.pcap is not None else None
    try:
        where = await resolve(target)
        own = local_host(where)
    except OSError as error:
        return _not_connected(screen, target, f"{target.host}: {error.strerror or error}")
    async with SimulatedGate(own, gateway=where, profile=profile, tape=tape) as gate:
        screen.line(f"calling {plan.number} at {where} ..")
        carried = await carry(gate, plan, stop)
    result = judge(carried, plan)
    try:
        if kept.wav is not None and result.answered:
            write_stereo(kept.wav, *lanes(carried.call), RATE_HZ)
        if kept.pcap is not None and tape is not None:
            tape.save(kept.pcap)
    except OSError as error:
        refuse(f"cannot keep the evidence: {error}")
    if carried.no_answer and not result.answered:
        return _not_connected(screen, target, carried.no_answer)
    _show(screen, target, result)
    return EXIT_PASSED if result.ok else EXIT_FAILED


def _not_connected(screen: Screen, target: Target, why: str) -> int:
    screen.line(why, style="red")
    if screen.as_json:
        screen.json({"ok": False, "target": str(target), "connected": False, "failures": [why]})
    return EXIT_NOT_CONNECTED


def _show(screen: Screen, target: Target, result: CallResult) -> None:
    if screen.as_json:
        screen.json({"target": str(target), "connected": True} | result.as_json())
        return
    rtp = result.rtp
    screen.facts(
        f"call to {result.number} at {target.where}",
        {
            "answer": result.status,
            "set-up": _with_unit(result.setup_ms, "ms"),
            "heard": _with_unit(result.heard_dbfs, "dBFS"),
            "speech heard": "yes" if result.heard_speech else "NO",
            "response": _with_unit(result.response_ms, "ms"),
            "echo": _with_unit(result.echo_ms, "ms"),
            "RTP": f"{rtp['packets']} packets, {rtp['lost']} lost, longest gap"
            f" {_with_unit(rtp['longest_gap_ms'], 'ms')}",
            "lasted": _with_unit(result.lasted_s, "s"),
            "ended by": result.ended_by,
            "violations": len(result.violations),
        },
    )
    for violation in result.violations:
        screen.line(f"violation: {violation}", style="red")
    for failure in result.failures:
        screen.line(f"failed: {failure}", style="red")
    screen.line("ok" if result.ok else "FAILED", style="green" if result.ok else "red")


def _with_unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"
