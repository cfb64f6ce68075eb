"""A run as evidence: values only, written to files by `write.py`.

A measurement that is missing is a failure, never a zero: figures that may lack are None, and a
check that rests on one that lacks has failed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulator.gemini.journal import Journal
from simulator.pcap import Tape
from simulator.report.call import CallEvidence


class Outcome(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True)
class Measurement:
    """The figure that a check rests on."""

    value: float | None
    """What was measured; None when it could not be."""

    unit: str = ""
    """ms, dBFS, packets ..."""

    limit: float | None = None
    """What it is held against; None where it only informs."""

    at_least: bool = False
    """The limit is a lower one."""

    @property
    def missing(self) -> bool:
        """True when there is no figure."""
        return self.value is None or not math.isfinite(self.value)

    @property
    def holds(self) -> bool:
        """Whether there is a figure, within its limit."""
        if self.value is None or self.missing:
            return False
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        if self.value is None or self.missing:
            return "not measured"
        text = f"{self.value:.6g} {self.unit}".strip()
        if self.limit is None:
            return text
        return f"{text} ({'at least' if self.at_least else 'at most'} {self.limit:.6g})"


@dataclass(frozen=True)
class CheckResult:
    """One thing that was checked."""

    name: str
    """What it is called on the report and in junit.xml."""

    outcome: Outcome
    """What the one who checked says."""

    message: str = ""
    """Why, in plain words."""

    measurement: Measurement | None = None
    """The figure it rests on, where it rests on one."""

    call: int | None = None
    """The number of the call it is about; None when about the run."""

    @property
    def verdict(self) -> Outcome:
        """The outcome, but never passed on a figure that lacks or breaks its limit."""
        unproven = self.measurement is not None and not self.measurement.holds
        return Outcome.FAILED if self.outcome is Outcome.PASSED and unproven else self.outcome

    @property
    def why(self) -> str:
        """The message and the figure."""
        figure = "" if self.measurement is None else str(self.measurement)
        return ": ".join(part for part in (self.message, figure) if part)

    @property
    def title(self) -> str:
        """The name, with its call."""
        return self.name if self.call is None else f"{self.name} [call {self.call}]"


@dataclass(frozen=True)
class ResourceSample:
    """What was alive after a call had been cleaned away."""

    after_call: int
    """The call's number; 0 is the baseline."""

    threads: int | None = None
    """Threads alive."""

    tasks: int | None = None
    """Tasks not done."""

    sockets: int | None = None
    """Sockets open."""

    files: int | None = None
    """Files open."""

    memory_bytes: int | None = None
    """Memory of the process, resident or traced."""


@dataclass(frozen=True)
class RunEvidence:
    """A whole run: its calls, its checks and what became of them."""

    name: str
    """demo, soak, accept, or a test's id."""

    calls: tuple[CallEvidence, ...] = ()
    """In the order of their numbers."""

    checks: tuple[CheckResult, ...] = ()
    """Of the run and of its calls, in the order they shall be read."""

    seed: int | None = None
    """What it is replayed with."""

    clock: str = "real"
    """virtual or real."""

    target: str = ""
    """The gateway that was tested: its address, or what it is."""

    began_at: str = ""
    """Date and time of day, ISO 8601."""

    resources: tuple[ResourceSample, ...] = ()
    """In the order of the calls."""

    errors: tuple[str, ...] = ()
    """What broke outside of any check: exceptions, errors nobody handled, leaks."""

    notes: tuple[str, ...] = ()
    """What a reader must know: what a bound dropped, what could not be done."""

    response_limit_ms: float | None = None
    """The line in the histogram of response times."""

    exit_code: int = 0
    """What the process will exit with, as far as known: the verdict is never greener."""

    tape: Tape | None = field(default=None, compare=False, repr=False)
    """What becomes run.pcap."""

    journal: Journal | None = field(default=None, compare=False, repr=False)
    """What becomes gemini.jsonl."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of run.json."""

    def checks_of(self, call: CallEvidence) -> tuple[CheckResult, ...]:
        """The checks that are about that call."""
        return tuple(check for check in self.checks if check.call == call.number)

    def has_failed(self, call: CallEvidence) -> bool:
        """Whether a check of that call failed, or the other side broke a rule in it."""
        failed = any(check.verdict is Outcome.FAILED for check in self.checks_of(call))
        return failed or bool(call.findings)

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that keeps the run from being passed, one line each."""
        found = [
            f"{check.title}: {check.why or 'failed'}"
            for check in self.checks
            if check.verdict is Outcome.FAILED
        ]
        found += [
            f"call {call.number}: {finding}"
            for call in self.calls
            if not any(check.verdict is Outcome.FAILED for check in self.checks_of(call))
            for finding in call.findings
        ]
        found += self.errors
        if not any(check.verdict is Outcome.PASSED for check in self.checks):
            found.append("no check passed: nothing was shown")
        if self.exit_code and not found:
            found.append(f"exit code {self.exit_code}")
        return tuple(found)

    @property
    def passed(self) -> bool:
        """Whether there is something to show and nothing against it."""
        return not self.failures

    @property
    def verdict(self) -> Outcome:
        """Passed or failed."""
        return Outcome.PASSED if self.passed else Outcome.FAILED
