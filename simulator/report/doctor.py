"""The outside judge: `sip-doctor` reads the capture, and we tell what it says.

It shares nothing with gateway or simulator. Where it is not installed, that is told too.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 120.0
ROWS_MAX = 500
MODULE = "sipdoctor"
COMMAND = "sip-doctor"
ABSENT = "sip-doctor is not installed, so no outside judge read the capture: pip install sip-doctor"


@dataclass(frozen=True)
class DoctorFinding:
    """One thing the judge says of a call."""

    call_id: str
    """Of which call; empty for the whole capture."""

    severity: str
    """Its own word: info, warn, error ..."""

    title: str
    """What it found."""

    detail: str = ""
    """More of it."""


@dataclass(frozen=True)
class DoctorStream:
    """One RTP stream as the judge measured it."""

    call_id: str
    """Of which call."""

    direction: str
    """"to caller" or "to callee"."""

    ssrc: int
    """Which stream."""

    packets: int
    """How many it counted."""

    lost: int | None
    """How many it misses."""

    jitter_ms: float | None
    """By RFC 3550."""

    mos: float | None
    """Its estimate of how it sounds, 1 to 4.5."""


@dataclass(frozen=True)
class Diagnosis:
    """What the judge said, or why it said nothing."""

    version: str = ""
    """Its version; empty when it did not read the capture."""

    problem: str = ""
    """Why there is no diagnosis; empty when there is one."""

    statuses: Mapping[str, str] | None = None
    """What became of each call, by Call-ID."""

    streams: tuple[DoctorStream, ...] = ()
    """All RTP of the calls."""

    findings: tuple[DoctorFinding, ...] = ()
    """In its order."""

    def of(self, call_id: str) -> tuple[DoctorFinding, ...]:
        """What it says of one call."""
        return tuple(finding for finding in self.findings if finding.call_id == call_id)

    def stream(self, call_id: str, ssrc: int) -> DoctorStream | None:
        """What it measured of one stream."""
        same = (one for one in self.streams if (one.call_id, one.ssrc) == (call_id, ssrc))
        return next(same, None)

    @property
    def worst(self) -> tuple[DoctorFinding, ...]:
        """All findings that are more than information."""
        return tuple(finding for finding in self.findings if finding.severity != "info")

    def as_record(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "version": self.version or None,
            "problem": self.problem or None,
            "findings": [asdict(finding) for finding in self.findings],
            "streams": [asdict(stream) for stream in self.streams],
        }


def read_capture(path: Path, *, limit_s: float = LIMIT_S) -> Diagnosis:
    """Let the judge read a pcap file. Blocks until it is done; never raises for what it does."""
    command = find_command()
    if command is None:
        return Diagnosis(problem=ABSENT)
    try:
        done = subprocess.run(
            [*command, "read", str(path), "--json", "--no-color"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Diagnosis(problem=f"sip-doctor did not read the capture: {error}")
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[-300:]
        return Diagnosis(problem=f"sip-doctor ended with {done.returncode}: {said}")
    return understand(done.stdout)


def find_command() -> list[str] | None:
    """How to start it: in this environment, else wherever the path has it."""
    if importlib.util.find_spec(MODULE) is not None:
        return [sys.executable, "-m", MODULE]
    found = shutil.which(COMMAND)
    return None if found is None else [found]


def understand(output: bytes) -> Diagnosis:
    """Read its JSON; what cannot be understood becomes the problem."""
    try:
        told = json.loads(output)
        # A REGISTER or OPTIONS has neither status nor media.
        dialogs = told["dialogs"]
        return Diagnosis(
            version=str(told["version"]),
            statuses={
                str(one["call_id"]): str(one.get("status", "")) for one in dialogs[:ROWS_MAX]
            },
            streams=tuple(_stream(one, row) for one in dialogs for row in one.get("media", ()))[
                :ROWS_MAX
            ],
            findings=(
                *(_finding(str(one["call_id"]), row) for one in dialogs for row in one["findings"]),
                *(_finding("", row) for row in told["security"] if isinstance(row, dict)),
            )[:ROWS_MAX],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Diagnosis(problem=f"what sip-doctor says cannot be understood: {error!r}")


def _stream(dialog: Mapping[str, Any], row: Mapping[str, Any]) -> DoctorStream:
    return DoctorStream(
        call_id=str(dialog["call_id"]),
        direction=str(row["direction"]),
        ssrc=int(str(row["ssrc"]), 16),
        packets=int(row["packets"]),
        lost=row.get("lost"),
        jitter_ms=row.get("jitter_ms"),
        mos=row.get("mos"),
    )


def _finding(call_id: str, row: Mapping[str, Any]) -> DoctorFinding:
    return DoctorFinding(
        call_id, str(row.get("severity", "")), str(row["title"]), str(row.get("detail") or "")
    )
