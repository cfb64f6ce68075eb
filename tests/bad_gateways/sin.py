"""What a broken gateway of this folder declares about itself."""

import re
import sys
from dataclasses import dataclass

from tests.bad_gateways.base import BaseGateway


@dataclass(frozen=True)
class Sin:
    """One way to be broken, and how it comes to light."""

    gateway: type[BaseGateway]
    """The gateway that sins."""
    did: str
    """Who did so, or how it happens."""
    row: str
    """The scenario that must catch it: a key of `rows.ROWS`."""
    message: str
    """What the scenario says then; "..." stands for what differs from run to run."""
    also: tuple[str, ...] = ()
    """Other rows that cannot help turning red."""
    why: str = ""
    """The reason for `also`."""

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.gateway.__module__.rpartition(".")[2]

    @property
    def sentence(self) -> str:
        """The first line of its file, without the full stop."""
        lines = (sys.modules[self.gateway.__module__].__doc__ or "").splitlines()
        return lines[0].rstrip(".") if lines else ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The message as an expression."""
        return re.compile(".*?".join(map(re.escape, self.message.split("..."))), re.DOTALL)


OUR_BYE = ("goodbye", "model drops", "slow answer")
OUR_BYE_WHY = "there, too, it is the gateway that hangs up"

THEIR_BYE = (
    *("two-way audio", "greeting", "second turn", "barge-in", "UDP error", "left unsaid"),
    *("at once", "stale BYE", "rested port", "alias", "mirror image", "RTP goes on"),
)
THEIR_BYE_WHY = "there, too, it is the caller who hangs up"

LEAK_GATE = ("two-way audio", "greeting", "barge-in", "no speech", "goodbye", "model drops")
LEAK_GATE_WHY = "the leak gate stands behind each of them"

STAMPS = (
    *("greeting", "second turn", "barge-in", "goodbye", "UDP error", "left unsaid"),
    *("at once", "stale BYE"),
)
STAMPS_WHY = "they know the model's voice by its stamps"

LONG_CALLS = (
    *("greeting", "second turn", "barge-in", "no speech", "goodbye", "slow answer"),
    *("UDP error", "at once", "stale BYE", "RTP goes on"),
)
LONG_CALLS_WHY = "RTP is judged in every call, and these last 4 s or more"
