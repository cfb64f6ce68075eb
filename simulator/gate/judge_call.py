"""The judge of a call's course: what came when, and whether its time was right (RFC 3261)."""

from collections.abc import Sequence

from .judge import Findings, Violation
from .transaction import T1_S, TIMEOUT_S

TRYING_EXACT_S = 0.201
TRYING_REAL_S = 0.5
"""RFC 3261 17.2.1 gives 200 ms; a busy machine gets more."""

RESENT_MIN = 9
"""RFC 3261 13.3.1.4: a 2xx without ACK goes out 11 times in 32 s; two may be lost."""

CROSSING_S = T1_S / 4
"""A 2xx that comes so soon after the ACK was sent may have crossed it."""


class CallJudge:
    """Told of the turns a call takes; times are loop times."""

    def __init__(self, findings: Findings, *, exact: bool) -> None:
        self._findings = findings
        self._exact = exact
        self._late_answers = 0

    def first_response(self, waited_s: float) -> None:
        """RFC 3261 17.2.1: 100 within 200 ms, unless something better comes sooner."""
        if waited_s > (TRYING_EXACT_S if self._exact else TRYING_REAL_S):
            text = f"first response {waited_s:.3f} s after the INVITE"
            self._findings.add(Violation("trying-late", "RFC 3261 17.2.1", text))

    def answer_again(self, acked_at: float | None, now: float) -> None:
        """RFC 3261 13.3.1.4: the 2xx is sent again until the ACK came, and no longer."""
        if acked_at is not None and now - acked_at > CROSSING_S:
            self._late_answers += 1
            if self._late_answers == 2:
                text = "2xx sent again twice after its ACK"
                self._findings.add(Violation("2xx-after-ack", "RFC 3261 13.3.1.4", text))

    def refused_after_cancel(self, status: int) -> None:
        """RFC 3261 9.2: a cancelled INVITE is answered 487."""
        if status != 487:
            text = f"{status} to a cancelled INVITE, due 487"
            self._findings.add(Violation("cancel-answer", "RFC 3261 9.2", text))

    def bye(self, acked_at: float | None, answers_at: Sequence[float], now: float) -> None:
        """RFC 3261 15: no BYE before the ACK, unless 32 s went by (with the 2xx sent again)."""
        if acked_at is not None:
            return
        if not answers_at or now - answers_at[0] < TIMEOUT_S - T1_S:
            text = "BYE before the ACK came, and before 32 s were over"
            self._findings.add(Violation("bye-before-ack", "RFC 3261 15", text))
        elif len(answers_at) < RESENT_MIN:
            text = f"2xx sent {len(answers_at)} times in 32 s without ACK"
            self._findings.add(Violation("2xx-not-resent", "RFC 3261 13.3.1.4", text))

    def after_end(self, method: str) -> None:
        """RFC 3261 15.1.2: nothing is sent in a dialog that is over."""
        rule = "bye-after-end" if method == "BYE" else "request-after-end"
        text = f"{method} in a dialog that is over"
        self._findings.add(Violation(rule, "RFC 3261 15.1.2", text))
