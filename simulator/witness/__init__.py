"""The leak gate: what is alive now that was not before, and every error nobody handled."""

from simulator.witness.census import Snapshot, Trace
from simulator.witness.channels import ErrorSeen
from simulator.witness.memory import MemoryGrowth, MemoryTrend
from simulator.witness.witness import LeakFound, Witness

__all__ = [
    "ErrorSeen",
    "LeakFound",
    "MemoryGrowth",
    "MemoryTrend",
    "Snapshot",
    "Trace",
    "Witness",
]
