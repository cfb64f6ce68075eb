"""SIPp: how it is called, and what it counted."""

import csv
from dataclasses import dataclass
from pathlib import Path

from ci.interop_job.ports import HOST, free_block

SCRIPTS = Path(__file__).resolve().parents[1] / "sipp"
"""Our own scripts."""


@dataclass(frozen=True)
class Load:
    """How many calls, and how fast."""

    calls: int
    rate_per_s: int
    duration_ms: int = 0
    """Of the pauses for which a script says no length."""
    give_up_s: int = 70
    """It ends by then, with an error."""


@dataclass(frozen=True)
class Tally:
    """What SIPp counted."""

    created: int
    """Calls it started."""
    successful: int
    failed: int
    retransmissions: int
    """Messages it had to send again."""
    unexpected: int
    """Calls that failed for a message that the scenario does not know."""

    def is_all_of(self, calls: int) -> bool:
        """Whether so many calls went well, and none did not."""
        return (self.successful, self.failed) == (calls, 0)

    def __str__(self) -> str:
        return (
            f"{self.successful} of {self.created} succeeded, {self.failed} failed"
            f" ({self.unexpected} for an unexpected message),"
            f" {self.retransmissions} retransmissions"
        )


def script(name: str) -> tuple[str, ...]:
    """Give the words that choose one of our own scripts."""
    return ("-sf", str(SCRIPTS / f"{name}.xml"))


def command(
    scenario: tuple[str, ...],
    port: int,
    load: Load,
    transport: str = "u1",
) -> list[str]:
    """Give the command that calls a gateway's port.

    It works in a folder of its own.
    """
    own = free_block(6)
    where = ["-t", transport, "-i", HOST, "-p", str(own), "-mi", HOST, "-mp", str(own + 2)]
    # its remote control would listen on all addresses
    control = ["-ci", HOST, "-cp", str(own + 5), "-nostdin", "-s", "1000"]
    # -l: by default it holds new calls back while others are up
    amount = ["-m", str(load.calls), "-r", str(load.rate_per_s), "-l", str(load.calls)]
    bounds = ["-d", str(load.duration_ms), "-timeout", f"{load.give_up_s}s", "-timeout_error"]
    trace = ["-trace_stat", "-fd", "1", "-stf", "statistics.csv", "-trace_err"]
    target = f"{HOST}:{port}"
    return ["sipp", *scenario, target, *where, *control, *amount, *bounds, *trace]


def read_tally(folder: Path) -> Tally | None:
    """Read the last line of its statistics, the sums over the whole run; None without any."""
    statistics = folder / "statistics.csv"
    if not statistics.is_file():
        return None
    with statistics.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    last = rows[-1] if rows else {}

    def count(column: str) -> int:
        return int(last.get(column) or 0)

    return Tally(
        created=count("TotalCallCreated"),
        successful=count("SuccessfulCall(C)"),
        failed=count("FailedCall(C)"),
        retransmissions=count("Retransmissions(C)"),
        unexpected=count("FailedUnexpectedMessage(C)"),
    )


def why(folder: Path) -> str:
    """Give what it wrote of its errors, cut short."""
    found = [file.read_text(encoding="utf-8", errors="replace") for file in errors_in(folder)]
    return " ".join("\n".join(found).split())[:600]


def errors_in(folder: Path) -> list[Path]:
    """Give the files in which it tells of errors."""
    return sorted(folder.glob("*_errors.log"))
