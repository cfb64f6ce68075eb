"""Blind transfer (RFC 3515): what a REFER of the gate comes to, and the gateway's own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .judge import Findings, Violation
from .transaction import ClientTransaction
from .wire import RawMessage, parameter

PROGRESS_MAX = 32
_FRAGMENT = re.compile(rb"^SIP/2\.0 ([1-6]\d\d) [^\r\n]*(\r\n|$)")


@dataclass(frozen=True)
class TransferPlan:
    """How the gate treats a REFER of the gateway."""

    status: int = 202
    "Its answer: 202, or a refusal."

    outcomes: tuple[int, ...] = (100, 200)
    "The statuses its NOTIFYs tell, the last one ends the subscription."

    every_s: float = 0.5
    "The time before each NOTIFY but the first."


def judge_refer(refer: RawMessage) -> Iterator[Violation]:
    """RFC 3515 2.4.1: exactly one Refer-To."""
    if len(refer.many("refer-to")) + len(refer.many("r")) != 1:
        text = f"REFER with Refer-To {refer.many('refer-to')}"
        yield Violation("refer-to", "RFC 3515 2.4.2", text)


def fragment(status: int, reason: str) -> bytes:
    """The body of a NOTIFY (RFC 3420)."""
    return f"SIP/2.0 {status} {reason}\r\n".encode()


class Transfer:
    """A REFER that the gate sent, and the NOTIFYs that tell how it went."""

    def __init__(self, refer: ClientTransaction, findings: Findings) -> None:
        self.refer = refer
        self.progress: list[int] = []
        """The statuses that the gateway's NOTIFYs told, in order."""
        self.over = False
        """Whether the gateway has ended the subscription."""
        self._findings = findings

    @property
    def status(self) -> int | None:
        """The answer to the REFER."""
        return self.refer.status

    @property
    def accepted(self) -> bool:
        """Whether NOTIFYs are due."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> int | None:
        """The status that the last NOTIFY told, once the transfer is over."""
        return self.progress[-1] if self.over and self.progress else None

    def wants(self, notify: RawMessage) -> bool:
        """Whether this NOTIFY may be for it (RFC 3515 2.4.6: the id is the REFER's CSeq)."""
        named = parameter(notify.get("event") or "", "id")
        return not self.over and named in (None, str(self.refer.request.cseq[0]))

    def take(self, notify: RawMessage) -> None:
        """Judge a NOTIFY and learn from it."""
        self._findings.add(*judge_notify(notify))
        match = _FRAGMENT.match(notify.body)
        if match:
            self.progress = [*self.progress, int(match.group(1))][-PROGRESS_MAX:]
        state = (notify.get("subscription-state") or "").split(";")[0].strip().lower()
        self.over = state == "terminated"


def judge_notify(notify: RawMessage) -> list[Violation]:
    """What is wrong with a NOTIFY of a transfer."""
    found = []
    event = (notify.get("event") or notify.get("o") or "").split(";")[0].strip()
    if event != "refer":
        found.append(Violation("notify-event", "RFC 3515 2.4.4", f"Event {event!r}, due 'refer'"))
    state = (notify.get("subscription-state") or "").split(";")[0].strip().lower()
    if state not in ("active", "pending", "terminated"):
        text = f"Subscription-State {notify.get('subscription-state')!r}"
        found.append(Violation("notify-state", "RFC 6665 8.2.3", text))
    elif state == "terminated" and _reason(notify) != "noresource":
        text = f"the last NOTIFY gives the reason {_reason(notify)!r}, due 'noresource'"
        found.append(Violation("notify-state", "RFC 3515 2.4.7", text))
    kind = (notify.get("content-type") or "").split(";")[0].strip().lower()
    if kind != "message/sipfrag":
        text = f"Content-Type {kind!r}, due message/sipfrag"
        found.append(Violation("notify-body", "RFC 3515 2.4.5", text))
    elif not _FRAGMENT.match(notify.body):
        text = f"body {notify.body[:40]!r} begins with no status line"
        found.append(Violation("notify-body", "RFC 3515 2.4.5", text))
    return found


def _reason(notify: RawMessage) -> str | None:
    return parameter(notify.get("subscription-state") or "", "reason")
