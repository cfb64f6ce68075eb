"""Target: a gateway as a scenario sees it, wherever it runs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from simulator.gate.extension import Extension
from simulator.witness.census import Snapshot

Settings = Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]]
"""What a scenario sets on its gateway: {section: {key: value}}, by the names of its contract.

A list of tables stands for itself: {"route": [{"called": "100"}]}.
"""

SINS = (
    "Task was destroyed but it is pending",
    "exception was never retrieved",
    "Traceback (most recent call last)",
    "10054",
)
"""Words that must never stand in a gateway's log."""


@dataclass(frozen=True)
class Target:
    """A running gateway."""

    name: str
    """What it is, for reports."""
    address: tuple[str, int]
    """Where calls go (SIP over UDP)."""
    take: Callable[[], Snapshot] | None = None
    """Gives what it holds now; None: in this process (the witness looks itself)."""
    unseen: str = ""
    """Why nobody can see what it holds; empty where somebody can."""
    log: Callable[[], str] = str
    """Gives all that it has written to its log."""
    admin_url: str = ""
    """Base of its admin side, where that is known."""
    extension: Extension | None = None
    """Who calls whom, where `address` is a real gate that stands before it."""

    def sins(self) -> list[str]:
        """Give the lines of its log that hold words that must never stand there."""
        lines = self.log().splitlines()
        return [line for line in lines if any(word in line for word in SINS)]


@dataclass(frozen=True)
class InProcess:
    """How to start a gateway inside this process; given by whoever knows one (a conftest)."""

    start: Callable[[Settings], AbstractAsyncContextManager[Target]]
    """Serves it for as long as the block runs."""
    owned_types: tuple[str, ...] = ()
    """Qualified names of its classes whose objects must die with their call."""
