"""What lies between a gate and the gateway: four paths, each as bad as it is told to be.

They stand on the gate's side, so that no gateway need know of them. What the gateway says by RTP is
judged as it left and heard as it arrived; SIP is judged as it arrived.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.network import Address, Impairment, Link, Send

from .extension import passes_gates
from .judge import Findings, Violation

CLEAN = Impairment()
MATTERS_OF_TIME = (
    "trying-late",
    "provisional-after-final",
    "2xx-after-ack",
    "2xx-not-resent",
    "bye-after-end",
    "before-answer",
    "rtp-before-answer",
    "rtp-gap",
    "rtp-after-end",
    "rtp-on-hold",
    "rtp-old-port",
    "ack-missing",
    "cancel-late",
    "notify-missing",
)
"""Rules that are judged by when a message came, or whether it came at all."""


class Path:
    """One direction of one kind of traffic, over all sockets of a gate."""

    def __init__(self, impairment: Impairment | None = None) -> None:
        self.counts: Counter[str] = Counter()
        """What met an impairment: sent, lost, duplicated, reordered, delivered, overflow."""
        self.impairment = impairment or CLEAN

    @property
    def impairment(self) -> Impairment:
        """What all that is sent from now on meets; set it at any time, numbers begin anew then."""
        return self._impairment

    @impairment.setter
    def impairment(self, impairment: Impairment) -> None:
        self._impairment = impairment
        self.is_clean = impairment == CLEAN

    @contextmanager
    def impaired(self, impairment: Impairment) -> Iterator["Path"]:
        """Another fault for a few lines; what is under way still arrives by its own."""
        before = self.impairment
        self.impairment = impairment
        try:
            yield self
        finally:
            self.impairment = before

    def link(self, send: Send) -> Link:
        """Lead what is sent here along the path to `send`."""
        return _PathLink(self, send)


class _PathLink(Link):
    """Follows its path's impairment. A clean path costs nothing and counts nothing."""

    def __init__(self, path: Path, send: Send) -> None:
        super().__init__(send, path.impairment)
        self.counts = path.counts
        self._path = path

    def __call__(self, data: bytes, address: Address) -> None:
        if self._path.is_clean:
            self._send(data, address)
            return
        if self._path.impairment is not self.impairment:
            self._impose(self._path.impairment)
        super().__call__(data, address)


class Paths:
    """The network of one gate: what it sends (`_out`) and what reaches it (`_in`)."""

    def __init__(self, rtp_out: Impairment | None = None, *, through_gate: bool = False) -> None:
        """`through_gate`: a real gate stands between, and what it does proves nothing either."""
        self._through_gate = through_gate
        self.sip_out = Path()
        """SIP to the gateway."""
        self.sip_in = Path()
        """SIP from the gateway."""
        self.rtp_out = Path(rtp_out)
        """RTP to the gateway."""
        self.rtp_in = Path()
        """RTP from the gateway: the caller hears it as a phone with a jitter buffer does."""

    def excuses(self, violation: Violation) -> bool:
        """Whether it proves nothing: SIP may have been lost, late or changed on its way."""
        if self._through_gate and not passes_gates(violation):
            return True
        impaired = self.sip_out.counts["sent"] + self.sip_in.counts["sent"]
        return impaired > 0 and violation.rule in MATTERS_OF_TIME


class FairFindings(Findings):
    """Findings without those that the network may have caused."""

    def __init__(self, paths: Paths, parent: Findings | None = None) -> None:
        super().__init__(parent=parent)
        self._paths = paths

    def add(self, *found: Violation) -> None:
        """Keep what the gateway must answer for."""
        super().add(*(each for each in found if not self._paths.excuses(each)))
