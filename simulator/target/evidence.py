"""What a pytest run keeps of its calls, and the folder it becomes."""

import asyncio
import datetime
import hashlib
import zlib
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from simulator.clock import VirtualLoop
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.journal import Journal
from simulator.gemini.server import FakeGemini
from simulator.pcap import Tape
from simulator.report.call import CallEvidence
from simulator.report.collect import Collector
from simulator.report.model import CheckResult, Outcome, ResourceSample, RunEvidence
from simulator.report.write import Written, write_evidence
from simulator.witness.witness import Witness

CALLS_KEPT = 12
"""Of one test the newest calls are kept; a soak's memory must not grow by its evidence."""
PACKETS_TO_TELL = 1500
"""Enough to tell of the last call where a test fails."""
PACKETS_TO_KEEP = 6000
"""Where a report is written."""
CALLS_MAX = 200
BETWEEN_TESTS_S = 1.0
LADDER_ROWS = 40


class WatchedGate(SimulatedGate):
    """A gate that remembers the newest calls it has made, in `made`."""

    made: deque[SimulatedCall]

    async def _wait(self, call: SimulatedCall, *arguments: Any) -> None:
        self.made.append(call)
        await super()._wait(call, *arguments)


class BlindWitness(Witness):
    """A witness before a gateway that shows nothing of itself; tests that need more are skipped."""

    def check(self, after: str = "") -> None:
        """See nothing."""


class SamplingWitness(Witness):
    """A witness that keeps what was alive at each check."""

    samples: list[ResourceSample] | None = None
    """Where they go; None: nobody asked."""

    def check(self, after: str = "") -> None:
        """Check as ever, then note the counts."""
        super().check(after)
        if self.samples is None:
            return
        counts = self.counts()
        self.samples.append(
            ResourceSample(
                after_call=len(self.samples) + 1,
                threads=counts["threads"],
                tasks=counts["tasks"],
                sockets=counts["sockets"],
                files=counts["files"],
                memory_bytes=psutil.Process().memory_info().rss,
            )
        )


@dataclass
class Scene:
    """What one test leaves: filled by the fixtures, collected when its gate is gone."""

    tape: Tape = field(default_factory=lambda: Tape(PACKETS_TO_TELL))
    made: deque[SimulatedCall] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    gemini: FakeGemini | None = None
    calls: tuple[CallEvidence, ...] = ()
    samples: list[ResourceSample] = field(default_factory=list)
    target: str = ""

    def collect(self) -> None:
        """Look closely at the calls that were made; that costs, so only where somebody reads it."""
        collector = Collector(self.tape)
        for call in self.made:
            collector.add(call, model_of(call, self.gemini))
        self.calls = collector.calls

    def events(self) -> tuple[str, ...]:
        """Give what happened when, without what chance decides (ports, tags, sizes).

        In virtual time two runs with one seed must tell the same.
        """
        told = [(packet.at_s, _kind(packet.payload)) for packet in self.tape.packets]
        if self.gemini is not None:
            entries = self.gemini.journal.entries
            told += [(entry.at_s, f"{entry.direction} {entry.kind}") for entry in entries]
        return tuple(f"{at_s:.3f} {kind}" for at_s, kind in sorted(told))

    def fingerprint(self) -> str:
        """Give a hash of the events: equal for two runs that told the same."""
        return hashlib.sha256("\n".join(self.events()).encode()).hexdigest()[:16]

    def in_words(self) -> str:
        """Say what happened in the last call, for the report of a failed test."""
        if not self.calls:
            return "no call was made"
        call = self.calls[-1]
        lines = [
            f"call {call.number} of {len(self.calls)} to {call.called}, ended by {call.ended_by}",
            f"its end: {call.reason or 'not over'}",
            f"the caller heard: {call.heard_by_caller.text}",
            f"the model heard: {call.heard_by_model.text}",
            *(str(finding) for finding in call.findings),
            *(
                f"{row.at_s:8.3f} s {'<-' if row.from_gateway else '->'} {row.summary}"
                for row in call.ladder[-LADDER_ROWS:]
            ),
        ]
        return "\n".join(lines)


def _kind(payload: bytes) -> str:
    """Name a datagram: the first line of SIP without addresses, or RTP."""
    first = payload.partition(b"\n")[0].split()
    if b"SIP/2.0" not in first or not payload[:1].isalpha():
        return "rtp"
    return (first[1] if first[0] == b"SIP/2.0" else first[0]).decode("ascii", "replace")


def chance_of(test: str, seed: int) -> int:
    """Give a test its own chance from the run's seed, so that no two tests share a branch or tag.

    In real time the moment is mixed in: a gateway that is still running remembers the last run.
    """
    loop = asyncio.get_running_loop()
    moment = 0 if isinstance(loop, VirtualLoop) else int(loop.time() * 1000)
    return zlib.crc32(f"{seed} {moment} {test}".encode())


def model_of(call: SimulatedCall, gemini: FakeGemini | None) -> FakeSession | None:
    """Give the conversation that belongs to a call: the one that heard it, else by its time."""
    if gemini is None or call.invited_at is None:
        return None
    until = call.ended_at if call.ended_at is not None else float("inf")
    during = [one for one in gemini.sessions if call.invited_at <= one.opened_at_s <= until]
    for session in during:
        if any(stamp.identity == call.identity for stamp in session.heard.stamps()):
            return session
    return during[0] if during else None


class RunLog:
    """All tests of a run: the checks, the calls worth keeping, the capture."""

    def __init__(self, name: str, seed: int, clock: str) -> None:
        self._run = RunEvidence(
            name=name,
            seed=seed,
            clock=clock,
            began_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
        self._calls: list[CallEvidence] = []
        self._checks: list[CheckResult] = []
        self._samples: list[ResourceSample] = []
        self._tape = Tape()
        self._journal = Journal()
        self._offset_s = 0.0
        self._events: dict[str, str] = {}

    def add(self, name: str, outcome: Outcome, message: str, scene: Scene | None) -> None:
        """Take a test that is over."""
        numbers: list[int] = []
        if scene is not None:
            self._events[name] = scene.fingerprint()
            self._run = replace(self._run, target=scene.target or self._run.target)
            if len(self._calls) + len(scene.calls) <= CALLS_MAX or outcome is Outcome.FAILED:
                numbers = self._keep(scene)
            if len(scene.samples) > len(self._samples):
                self._samples = scene.samples
        last = numbers[-1] if numbers and outcome is Outcome.FAILED else None
        self._checks.append(CheckResult(name, outcome, message, call=last))

    def write(self, folder: Path, exit_code: int) -> Written:
        """Write all of it."""
        run = replace(
            self._run,
            calls=tuple(self._calls),
            checks=tuple(self._checks),
            resources=tuple(self._samples),
            exit_code=exit_code,
            tape=self._tape,
            journal=self._journal,
            extra={"events": self._events},
        )
        return write_evidence(run, folder)

    def keep_journal(self, journal: Journal) -> None:
        """Take over what a fake service has written down."""
        for entry in journal.entries:
            self._journal.add(entry)

    def _keep(self, scene: Scene) -> list[int]:
        numbers = []
        for call in scene.calls:
            numbers.append(len(self._calls) + 1)
            self._calls.append(replace(call, number=numbers[-1]))
        packets = scene.tape.packets
        shift_s = self._offset_s - packets[0].at_s if packets else 0.0
        for packet in packets:
            at_s = packet.at_s + shift_s
            self._tape.record(at_s, packet.source, packet.destination, packet.payload)
            self._offset_s = max(self._offset_s, at_s + BETWEEN_TESTS_S)
        return numbers
