"""Other people's torture messages against `voicegate serve`, where no packet can leave.

`python ci/torture.py` runs in a network namespace that holds nothing but loopback, prints one line
for each set and each check, and ends with 1 if one failed. Of the 2,200 cases of PROTOS it sends
every fourth; `--all` sends all. Loopback only, bounded in time, nothing left running.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ci.interop_job.checks import Checks, say
from ci.interop_job.gateway import RunningGateway, open_gateway
from ci.interop_job.ports import HOST
from ci.interop_job.scene import open_gemini
from ci.interop_job.verdicts import faults_in, left_behind, summary
from ci.job import evidence_folder, run_bounded
from ci.torture_job import namespace
from ci.torture_job.attacker import ANSWER_LIMIT_S, Attacker, Outcome
from ci.torture_job.cases import (
    BODIES,
    MESSAGES,
    RFCS,
    Case,
    Place,
    body_cases,
    message_cases,
    packets,
    protos_cases,
    rfc_cases,
    segment_cases,
)
from simulator.audio.sound import stamps
from simulator.gate.gate import SimulatedGate

INSIDE = "--inside"
LIMIT_S = 180.0
ALL_LIMIT_S = 400.0
CPU_LIMIT_S = 0.05
HUNDRED = 100
PROTOS_STEP = 4
CALL_S = 1.6
STAMPS_AT_LEAST = 2
ON_THE_WAY_S = 0.2
"""Packets of a call that is over are read before the attack goes on and holds the loop."""
SETTLE_S = 45.0
"""A call whose ACK never came is hung up after 32 s, or by the silence before."""
FORGOTTEN_S = 33.0
"""A dialog that is over is known for so long."""
MEMORY_BYTES_MAX = 30 << 20
ROOM = {
    # a port rests for 5 s, in which a quick machine tries a thousand cases
    "VOICEGATE_MEDIA__RTP_PORTS": "[6000, 14998]",
    # a call whose ACK and BYE it could not understand stays until the silence ends it: soon, since
    # each open call is walked by every full collection, which is no cost of the case it falls upon
    "VOICEGATE_SIP__MAX_CALLS": "1000",
    "VOICEGATE_CALL__NO_SPEECH_TIMEOUT_S": "3",
}
ECHO = ROOM | {"VOICEGATE_VOICE__BACKEND": "echo"}
_PORT = re.compile(rb"(?im)^(?:via|v)\s*:[^\r\n]*?:\s*(\d{4,5})\b")


@dataclass
class Tally:
    """What has been sent, over all sets."""

    cases: int = 0
    calls: list[str] = field(default_factory=list)
    """What was heard in each call between the cases; "" where it was right."""
    fuzz: list[bytes] = field(default_factory=list)
    """For the media ports of those calls."""
    before: dict[str, object] = field(default_factory=dict)
    """What the gateway held when all was warm."""


def main() -> int:
    """Run the job; give the exit code."""
    arguments = argparse.ArgumentParser(description="Send torture messages to the gateway.")
    arguments.add_argument("--all", action="store_true", help="all of PROTOS, for some minutes")
    arguments.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.inside:
        return run(chosen.all)
    checks = Checks("torture")
    wanting = "network namespaces are Linux's own" if sys.platform != "linux" else ""
    wanting = wanting or namespace.why_not() or missing_sets()
    if checks.skipped_for_want_of("torture", wanting):
        return checks.close()
    return namespace.run_inside("ci.torture", [INSIDE, *(["--all"] if chosen.all else [])])


def missing_sets() -> str:
    """Give the reason why there is nothing to send; "" if there is."""
    return "" if rfc_cases("rfc4475") else "../shared/corpora is not beside the repository"


def run(everything: bool) -> int:
    """Run the checks inside the closed network."""
    checks = Checks("torture")
    namespace.raise_loopback()
    with evidence_folder(None) as folder:
        limit_s = ALL_LIMIT_S if everything else LIMIT_S
        run_bounded(checks, play(checks, folder, everything), limit_s)
        run_bounded(checks, with_a_model(checks, folder), LIMIT_S)
    left = namespace.packets_without_a_way()
    checks.check("no packet wanted to leave", left == 0, f"IpOutNoRoutes {left}")
    namespace.try_to_leave()
    counted = namespace.packets_without_a_way() - left
    checks.check("a packet that wants to leave is counted", counted == 1, f"{counted} more")
    return checks.close()


async def play(checks: Checks, folder: Path, everything: bool) -> None:
    """Run the checks."""
    async with AsyncExitStack() as own:
        gateway = await own.enter_async_context(open_gateway(folder / "gateway", None, ECHO))
        gate = await own.enter_async_context(SimulatedGate(gateway=(HOST, gateway.sip_port)))
        await attack(checks, gateway, gate, everything)


async def attack(
    checks: Checks, gateway: RunningGateway, gate: SimulatedGate, everything: bool
) -> None:
    """Send all sets, with a call after each hundred cases; see what is left at the end."""
    pid = gateway.process.pid
    place = Place(gateway=f"{HOST}:{gateway.sip_port}")
    named = sets(place, 1 if everything else PROTOS_STEP)
    tally = Tally(fuzz=packets())
    await two_way_call(gate, tally)  # the first call warms threads and tables
    tally.before = await settled(gateway, {})
    memory = psutil.Process(pid).memory_info().rss
    others = [cases for name, cases in named.items() if name != "protos"]
    own_ports = [port for cases in others for case in cases for port in ports_in(case)]
    with Attacker(place.attacker, (HOST, gateway.sip_port), own_ports, pid) as attacker:
        dear: dict[str, list[Outcome]] = {}
        for name, cases in named.items():
            outcomes = [await one(attacker, case, gate, tally) for case in cases]
            if any(map(is_dear, outcomes)):
                dear[name] = outcomes
            else:
                judge_set(checks, name, outcomes)
        if dear:
            await settled(gateway, tally.before)
            await asyncio.sleep(FORGOTTEN_S)
        for name, outcomes in dear.items():
            again(attacker, [each for each in outcomes if is_dear(each)])
            judge_set(checks, name, outcomes)
    await two_way_call(gate, tally)
    await look_back(checks, gateway, gate, tally, memory)


async def with_a_model(checks: Checks, folder: Path) -> None:
    """Send the sets once more beside a call, where each call costs a conversation: none stays."""
    async with AsyncExitStack() as own:
        gemini = await own.enter_async_context(open_gemini())
        gateway = await own.enter_async_context(open_gateway(folder / "model", gemini, ROOM))
        before = await settled(gateway, {})
        target = (HOST, gateway.sip_port)
        place = Place(gateway=f"{HOST}:{gateway.sip_port}")
        named = sets(place, HUNDRED)
        cases = [case for several in named.values() for case in several]
        gate = await own.enter_async_context(SimulatedGate(gateway=target))
        ports = [port for case in cases for port in ports_in(case)]
        with Attacker(place.attacker, target, ports, gateway.process.pid) as attacker:
            async with gate.dial("1000", speak=stamps(every_s=0.6)) as call:
                # in a thread of its own: meanwhile the model and the caller speak here
                outcomes = [await asyncio.to_thread(attacker.try_case, case) for case in cases]
                await call.lasts(CALL_S)
        left = left_behind(before, await settled(gateway, before))
        begun, still = len(gemini.sessions), gemini.open_sessions
        dead = [one.case.name for one in outcomes if not one.is_alive]
        told = "; ".join([*left, *dead]) or f"{begun} begun beside {len(cases)} cases, {still} left"
        heard = gemini.session(0).heard.only_from(call, at_least=STAMPS_AT_LEAST)
        checks.check("conversations", heard and not (still or left or dead), told)


def sets(place: Place, step: int) -> dict[str, Sequence[Case]]:
    """Give every set by name; of PROTOS each `step`th case."""
    found: dict[str, Sequence[Case]] = {name: rfc_cases(name) for name in RFCS}
    # of the RFC's archive, not of its text: 49 are left
    found["rfc4475"] = [case for case in found["rfc4475"] if not case.name.endswith("/test.dat")]
    found |= {name: message_cases(name) for name in MESSAGES}
    found |= {"resip-raw": segment_cases()}
    found |= {name: body_cases(name, place) for name in BODIES}
    return found | {"protos": protos_cases(place)[::step]}


def ports_in(case: Case) -> list[int]:
    """Give the port of the top Via: an answer goes there, at the host that asked."""
    found = _PORT.search(case.packets[0])
    return [int(found[1])] if found and int(found[1]) < 1 << 16 else []


async def one(attacker: Attacker, case: Case, gate: SimulatedGate, tally: Tally) -> Outcome:
    """Try one case; call after each hundredth."""
    outcome = attacker.try_case(case)
    await asyncio.sleep(0)  # the gate has a socket to read too
    tally.cases += 1
    if tally.cases % HUNDRED == 0:
        await two_way_call(gate, tally)
    return outcome


def is_dear(outcome: Outcome) -> bool:
    """Whether it cost more than a case may."""
    return outcome.cpu_s > CPU_LIMIT_S


def again(attacker: Attacker, dear: Sequence[Outcome]) -> None:
    """Try the dear ones again, at a gateway that is at rest: a case is as dear as before.

    A full collection of Python's memory, which walks every object of the hundreds of calls and
    dialogs that the cases before have left for half a minute, is not.
    """
    for each in dear:
        each.cpu_s, each.tried_again = attacker.try_case(each.case).cpu_s, True


async def two_way_call(gate: SimulatedGate, tally: Tally) -> None:
    """A whole call to the echo, with other people's packets among its own."""
    async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
        await call.lasts(CALL_S / 2)
        for packet in tally.fuzz:
            call.media.send_raw(packet)
        await call.lasts(CALL_S / 2)
    await asyncio.sleep(ON_THE_WAY_S)
    heard = call.heard.only_from(call, at_least=STAMPS_AT_LEAST)
    tally.calls.append("" if heard and call.ended_by == "caller" else repr(heard))


def judge_set(checks: Checks, name: str, outcomes: list[Outcome]) -> None:
    """Hold a set's outcomes against the rules."""
    is_table = any(one.case.allowed for one in outcomes)
    wrong = [one for one in outcomes if not one.case.permits(one.finals)]
    dead = [one.case.name for one in outcomes if not one.is_alive]
    late = [one.case.name for one in outcomes if one.took_s > ANSWER_LIMIT_S]
    dear = [one.case.name for one in outcomes if is_dear(one)]
    twice = sum(one.tried_again for one in outcomes)
    answered = sum(bool(one.finals) for one in outcomes)
    slowest = max((one.took_s for one in outcomes), default=0.0)
    dearest = max((one.cpu_s for one in outcomes), default=0.0)
    right = f"{len(outcomes) - len(wrong)} of {len(outcomes)} as the table says" if is_table else ""
    told = (
        f"{right or f'{len(outcomes)} cases'}, {answered} answered;"
        f" at most {slowest * 1000:.0f} ms and {dearest * 1000:.1f} ms of CPU"
        f"{f', {twice} tried again at rest' if twice else ''}"
    )
    faults = [f"{one.case.name} answered {one.finals}" for one in wrong]
    faults += [f"{one}: no OPTIONS after it" for one in dead]
    faults += [f"{one}: late" for one in late] + [f"{one}: dear" for one in dear]
    checks.check(name, outcomes and not faults, f"{told} {'; '.join(faults[:5])}".strip())


async def settled(gateway: RunningGateway, before: dict[str, object]) -> dict[str, object]:
    """Give what the gateway holds, once that is what it held before, or after all patience."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_S
    sample = await gateway.resources()
    while loop.time() < deadline and left_behind(before or sample, sample):
        await asyncio.sleep(0.25)
        sample = await gateway.resources()
    return sample


async def look_back(
    checks: Checks, gateway: RunningGateway, gate: SimulatedGate, tally: Tally, memory: int
) -> None:
    """Check what all the cases together have left."""
    bad = [call for call in tally.calls if call]
    checks.check("two-way calls", not bad, "; ".join(bad[:3]) or f"{len(tally.calls)}, all heard")
    sample = await settled(gateway, tally.before)
    left = left_behind(tally.before, sample)
    checks.check("resources", not left, "; ".join(left) or f"as before ({summary(sample)})")
    grown = psutil.Process(gateway.process.pid).memory_info().rss - memory
    checks.check("memory", grown < MEMORY_BYTES_MAX, f"{grown / 1e6:.1f} MB more")
    broken = [str(one) for one in gate.violations]
    checks.check("SIP rules in those calls", not broken, "; ".join(broken[:3]) or "none broken")
    code = await gateway.interrupted(8.0)
    faults = faults_in(gateway.log_text())
    told = "; ".join(faults[:3]) or f"exit code {code}, no bad line in its log"
    checks.check("the gateway", code == 0 and not faults, told)
    say(f"{tally.cases} cases in all")


if __name__ == "__main__":
    sys.exit(main())
