"""Figures of a measurement: percentiles, one row a load, and how they are shown. Pure."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

FRAME_MS = 20.0
CALLS_FOR_RATIO = 20
"""With fewer calls the grain of the CPU clock (10 ms) weighs as much as what the C echo uses."""


def percentile(values: Sequence[float], part: float) -> float:
    """Give the smallest value that `part` (0 to 1) of all values do not exceed; NaN for none."""
    if not values:
        return math.nan
    rank = math.ceil(part * len(values))
    return sorted(values)[max(0, rank - 1)]


@dataclass(frozen=True)
class Pace:
    """How evenly packets came, over all calls of a load."""

    p50_ms: float
    """Median time between two packets of a call."""
    p99_ms: float
    """99th percentile of it."""
    jitter_p99_ms: float
    """99th percentile of its distance from 20 ms."""
    worst_ms: float
    """The longest."""


def pace_of(arrivals_s: Sequence[Sequence[float]]) -> Pace:
    """Judge the arrival times of each call's packets, in order, in seconds of any clock."""
    gaps = [
        (later - earlier) * 1000
        for call in arrivals_s
        for earlier, later in itertools.pairwise(call)
    ]
    off = [abs(gap - FRAME_MS) for gap in gaps]
    return Pace(
        p50_ms=percentile(gaps, 0.5),
        p99_ms=percentile(gaps, 0.99),
        jitter_p99_ms=percentile(off, 0.99),
        worst_ms=max(gaps, default=math.nan),
    )


@dataclass(frozen=True)
class Loss:
    """What did not come, judged by sequence numbers."""

    received: int
    """Packets."""
    missing: int
    """Sequence numbers between the first and the last that never came."""


def loss_of(sequences: Sequence[Sequence[int]]) -> Loss:
    """Count over the RTP sequence numbers (16 bits) of each call."""
    received = missing = 0
    for call in sequences:
        received += len(call)
        # the sender wraps; the steps between neighbours do not
        span = sum((b - a) & 0xFFFF for a, b in itertools.pairwise(call)) + 1 if call else 0
        missing += max(0, span - len(call))
    return Loss(received, missing)


@dataclass(frozen=True)
class Row:
    """One load, measured."""

    voice: str
    """What answered: sipp (C echo), echo, gemini."""
    calls: int
    """Calls at once."""
    cpu_ms: float
    """CPU of the program under test for one second of one call, user and system."""
    peer_cpu_ms: float
    """The same of the fake service; 0 where there is none."""
    caller_cpu_ms: float
    """The same of the callers."""
    core_part: float
    """Part of one core that the program under test used."""
    idle_part: float
    """The same before the first call came."""
    pace: Pace
    """The packets that callers received."""
    loss: Loss
    """Of the same packets."""
    sound_part: float
    """Part of the packets that carried sound: less than most means that nothing was measured."""
    caller_late_ms: float
    """99th percentile of how late the callers themselves were: the noise of the machine."""
    rss_kb: float
    """Memory added by one call (resident, from before the load)."""
    descriptors: float
    """Descriptors added by one call."""

    @property
    def net_cpu_ms(self) -> float:
        """CPU for one second of one call, without what the idle program uses anyway."""
        return self.cpu_ms - self.idle_part * 1000 / self.calls


@dataclass(frozen=True)
class SetUp:
    """How fast calls begin and end, one after the other on an idle gateway."""

    voice: str
    """What answered."""
    first_setup_ms: float
    """INVITE to 200 of the first call of the fresh process."""
    first_packet_ms: float
    """From its 200 to the first RTP packet."""
    first_sound_ms: float
    """From its 200 to the first packet with sound."""
    next_sound_ms: float
    """The same, median of the calls after it."""
    setup_p50_ms: float
    """INVITE to 200 of the calls after it."""
    setup_p99_ms: float
    """99th percentile of it."""
    bye_p50_ms: float
    """BYE to 200."""
    bye_p99_ms: float
    """99th percentile of it."""
    calls: int
    """How many calls came after the first."""


LOAD_COLUMNS = (
    "calls",
    "CPU",
    "x C echo",
    "core",
    "idle",
    "interval p50",
    "p99",
    "jitter p99",
    "worst",
    "lost",
    "sound",
    "KB/call",
    "fd/call",
    "service CPU",
    "callers CPU",
    "callers late p99",
)


def load_table(rows: Sequence[Row]) -> Table:
    """Show the loads.

    "x C echo" is the CPU above the idle program's own, to that of the C echo at as many calls.
    """
    table = Table(title="Loads (CPU in ms for one second of one call; times in ms)")
    table.add_column("voice")
    for name in LOAD_COLUMNS:
        table.add_column(name, justify="right")
    yardstick = {row.calls: row.net_cpu_ms for row in rows if row.voice == "sipp"}
    for row in rows:
        table.add_row(row.voice, *_cells(row, yardstick.get(row.calls, 0.0)))
    return table


def _cells(row: Row, echo_ms: float) -> list[str]:
    told = row.calls >= CALLS_FOR_RATIO and echo_ms > 0
    return [
        str(row.calls),
        f"{row.cpu_ms:.2f}",
        f"{row.net_cpu_ms / echo_ms:.1f}" if told else "-",
        f"{row.core_part:.0%}",
        f"{row.idle_part:.1%}",
        f"{row.pace.p50_ms:.2f}",
        f"{row.pace.p99_ms:.2f}",
        f"{row.pace.jitter_p99_ms:.2f}",
        f"{row.pace.worst_ms:.1f}",
        f"{row.loss.missing}/{row.loss.received}",
        f"{row.sound_part:.0%}",
        f"{row.rss_kb:.0f}",
        f"{row.descriptors:.1f}",
        f"{row.peer_cpu_ms:.2f}",
        f"{row.caller_cpu_ms:.2f}",
        f"{row.caller_late_ms:.2f}",
    ]


SETUP_COLUMNS = (
    "first call: 200",
    "first packet",
    "first sound",
    "later calls",
    "sound p50",
    "INVITE-200 p50",
    "p99",
    "BYE-200 p50",
    "p99",
)


def setup_table(rows: Sequence[SetUp]) -> Table:
    """Show how calls begin and end."""
    table = Table(title="Calls one after the other on an idle gateway (times in ms)")
    table.add_column("voice")
    for name in SETUP_COLUMNS:
        table.add_column(name, justify="right")
    for row in rows:
        times = (row.setup_p50_ms, row.setup_p99_ms, row.bye_p50_ms, row.bye_p99_ms)
        table.add_row(
            row.voice,
            f"{row.first_setup_ms:.1f}",
            f"{row.first_packet_ms:+.1f}",
            f"{row.first_sound_ms:+.0f}",
            str(row.calls),
            f"{row.next_sound_ms:+.0f}",
            *(f"{time_ms:.2f}" for time_ms in times),
        )
    return table


def median(values: Sequence[float]) -> float:
    """Give the median; NaN for no values."""
    return statistics.median(values) if values else math.nan
