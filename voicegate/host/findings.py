"""What a check found: a verdict, what is so, and what to do about it. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """Calls work; something will hurt."""
    FAIL = "fail"
    """Calls do not work."""


@dataclass(frozen=True)
class Finding:
    """One line of `voicegate check`."""

    name: str
    """What was looked at."""
    verdict: Verdict
    """How bad it is."""
    text: str
    """What is so, in plain words."""
    mend: str = ""
    """What to do; empty where all is well."""
    fatal: bool = False
    """The gateway cannot serve like this: start-up refuses too."""

    def __str__(self) -> str:
        mend = f" Mend: {self.mend}" if self.mend else ""
        return f"{self.verdict.value:4}  {self.name}: {self.text}.{mend}"


def ok(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(name, Verdict.OK, text)


def warn(name: str, text: str, mend: str) -> Finding:
    """Calls work, and something will hurt."""
    return Finding(name, Verdict.WARN, text, mend)


def fail(name: str, text: str, mend: str, *, fatal: bool = False) -> Finding:
    """Calls do not work."""
    return Finding(name, Verdict.FAIL, text, mend, fatal)


def passed(findings: Iterable[Finding]) -> bool:
    """Say whether calls would work."""
    return all(one.verdict is not Verdict.FAIL for one in findings)


def as_json_object(findings: list[Finding]) -> dict[str, Any]:
    """Give the object of `check --json`."""
    return {"passed": passed(findings), "findings": [asdict(one) for one in findings]}
