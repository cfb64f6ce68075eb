"""CallParty: the person at the telephone, in either direction: speaks, hears, hangs up."""

from collections.abc import Callable
from typing import Literal, Self

from simulator.audio.heard import Heard
from simulator.audio.sound import Sound

from .dialog import CallState, Side
from .in_dialog import InDialog
from .judge import Violation
from .mouth import check_keys
from .rtp_judge import RtpStats
from .transaction import TIMEOUT_S, ClientTransaction

Keys = Literal["event", "inband", "info-relay", "info-dtmf"]
KEY_MS = 160


class NoAnswer(TimeoutError):
    """A request of the gate was not answered in time."""


class CallRefused(RuntimeError):
    """The gateway gave a final answer other than 2xx."""

    def __init__(self, status: int, reason: str, retry_after_s: int | None) -> None:
        again = "" if retry_after_s is None else f" (Retry-After: {retry_after_s})"
        super().__init__(f"call refused: {status} {reason}{again}")
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s


class CallParty(InDialog):
    """Verbs act at once; those that wait are coroutines."""

    # --- what can be seen -------------------------------------------------------------------

    @property
    def heard(self) -> Heard:
        """What the party heard: the gateway's RTP, decoded, at its time of arrival."""
        return self.media.heard

    @property
    def spoken(self) -> Heard:
        """What the party said."""
        return self.media.spoken

    @property
    def rtp(self) -> RtpStats:
        """Figures of the stream that came in."""
        return self.media.receiver.stats

    @property
    def violations(self) -> list[Violation]:
        """The rules the gateway broke in this call."""
        return self.findings.violations

    @property
    def silence_before_bye_s(self) -> float:
        """From the last sound of either side (or the answer) to the end of the call."""
        if self.ended_at is None or self.answered_at is None:
            raise AssertionError(f"{self!r} was not answered and ended")
        sounds = (self.media.last_loud_heard_at, self.media.last_loud_spoken_at)
        return self.ended_at - max(at for at in (self.answered_at, *sounds) if at is not None)

    @property
    def bye_status(self) -> int | None:
        """The answer to our BYE."""
        return self._bye.status if self._bye is not None else None

    def check(self) -> None:
        """Raise an AssertionError that lists this call's violations, if any."""
        self.findings.check(repr(self))

    # --- speaking ---------------------------------------------------------------------------

    def say(self, sound: Sound) -> None:
        """Speak it from the next frame on, instead of what is being said."""
        self.media.say(sound)

    def stop_speaking(self) -> None:
        """Be silent (RTP goes on)."""
        self.media.say(None)

    async def finished_speaking(self, within_s: float = 60.0) -> None:
        """Wait until what is being said was said; AssertionError when it is not in time."""
        await self._due(lambda: not self.media.speaking, within_s, "still speaking")

    async def press(self, digits: str, by: Keys = "event", within_s: float = 60.0) -> list[int]:
        """Press keys and wait until they are sent; gives the statuses of the INFOs, if any.

        `event`: RFC 4733; `inband`: tones in the audio; `info-relay` and `info-dtmf`: INFO with
        application/dtmf-relay or application/dtmf.
        """
        if by.startswith("info"):
            check_keys(digits)
            return [await self._press_by_info(digit, by, within_s) for digit in digits]
        self.media.press(digits, as_tones=by == "inband")
        await self._due(lambda: not self.media.pressing, within_s, "still pressing keys")
        return []

    async def _press_by_info(self, digit: str, by: Keys, within_s: float) -> int:
        if by == "info-dtmf":
            return await self.info(digit.encode(), "application/dtmf", within_s)
        body = f"Signal={digit}\r\nDuration={KEY_MS}\r\n".encode()
        return await self.info(body, "application/dtmf-relay", within_s)

    def mute(self, muted: bool = True) -> None:
        """Send no RTP at all (or send it again)."""
        self.media.muted = muted

    def change_ssrc(self) -> None:
        """Go on as a new stream, by the same port (RFC 3550 8.2)."""
        self.media.change_ssrc()

    # --- the course of the call -------------------------------------------------------------

    async def lasts(self, seconds: float) -> Self:
        """Let the call go on for that long; AssertionError when it ends before."""
        start = self._loop.time()
        if await self._watch.until(lambda: self.is_over, seconds):
            after = self._loop.time() - start
            raise AssertionError(
                f"{self!r} after {after:.2f} of {seconds} s ({self._heard_last()})"
            )
        return self

    async def ended(self, by: Side | None = None, within_s: float = 30.0) -> Self:
        """Wait for the end of the call (by that side); AssertionError when it does not come."""
        await self._due(lambda: self.is_over, within_s, "not ended")
        if by is not None and self.ended_by != by:
            raise AssertionError(f"{self!r}, but it should be by {by}")
        return self

    async def hang_up(self, within_s: float = TIMEOUT_S + 1) -> None:
        """Send BYE (give up before the answer) and wait until it is answered; harmless twice."""
        if not self.is_up and not self.is_over:
            await self._give_up(within_s)
        if self.is_up:
            self._send_bye()
        if self._bye is not None and self.state is CallState.ENDED:
            await self._watch.until(self._bye_done, within_s)
            if self._bye.final is None:
                self.media.close()
                raise NoAnswer(self._unanswered("BYE", self._bye))

    async def _give_up(self, within_s: float) -> None:
        """End what is not answered yet."""
        raise NotImplementedError

    def cross_bye(self) -> None:
        """Hang up at the very moment the gateway does: both BYEs are under way at once."""
        self._crossing = True

    def vanish(self, *, close_port: bool = False) -> None:
        """Be gone: answer nothing, send nothing; with `close_port` RTP to us finds ICMP."""
        self.state = CallState.VANISHED
        self.ended_at = self._loop.time()
        self.release()
        if self._bye is not None:
            self._bye.stop()
        self.media.halt()
        if close_port:
            self.media.close()
        self._watch.changed()

    def close_rtp_port(self) -> None:
        """Close the RTP port in mid-call: what the gateway sends is answered with ICMP."""
        self.media.close()

    # --- requests that stand for themselves -------------------------------------------------

    async def options(self, within_s: float = 33.0) -> int:
        """Send OPTIONS inside the dialog; gives the final status."""
        return await self._status_of(self._request("OPTIONS"), within_s)

    async def info(self, body: bytes, content_type: str, within_s: float = 33.0) -> int:
        """Send INFO inside the dialog; gives the final status."""
        return await self._status_of(self._request("INFO", body, content_type), within_s)

    async def stale_bye(self, within_s: float = 33.0) -> int:
        """Send a new BYE in this dialog, which is over; gives the status.

        RFC 3261 15.1.2: 481 SHOULD come; a gateway that remembers the dialog may say 200.
        """
        return await self._status_of(self._request("BYE"), within_s)

    async def retransmit_bye(self, within_s: float = 2.0) -> int | None:
        """Send the very BYE of this call again; gives the status, or None for no answer."""
        bye = self._bye
        if bye is None:
            raise AssertionError(f"{self!r} has sent no BYE")
        before = bye.responses
        self._line.track(bye, self)
        bye.send_again()
        await self._watch.until(lambda: bye.responses > before, within_s)
        return bye.status if bye.responses > before else None

    def send_raw(self, data: bytes) -> None:
        """Send any bytes from the SIP port to the gateway."""
        self._line.socket.send(data, self._dialog.gateway)

    # --- waiting ------------------------------------------------------------------------------

    async def leave(self, *, failing: bool) -> None:
        """The end of `async with`: hang up if still up; quiet when an error is under way."""
        if failing:
            self.abandon()
            await self._watch.until(self._bye_done, 2.0)
        elif self.state is not CallState.VANISHED:
            await self.hang_up()

    async def _due(self, condition: Callable[[], bool], within_s: float, complaint: str) -> None:
        if not await self._watch.until(condition, within_s):
            raise AssertionError(f"{self!r} {complaint} within {within_s} s ({self._heard_last()})")

    async def _status_of(self, transaction: ClientTransaction, within_s: float) -> int:
        await self._watch.until(lambda: transaction.done, within_s)
        if transaction.status is None:
            raise NoAnswer(self._unanswered(transaction.request.method, transaction))
        return transaction.status

    def _bye_done(self) -> bool:
        if self._bye is None or not self._bye.done:
            return self._bye is None
        if self._bye.final is not None and self.release_s is None:
            self.release_s = self._bye.finals_at[0] - self._bye.sent_at
        return True

    def _unanswered(self, what: str, transaction: ClientTransaction | None) -> str:
        waited_s = self._loop.time() - (transaction.sent_at if transaction else 0.0)
        text = f"no answer to {what} from {self._dialog.gateway} within {waited_s:.0f} s"
        if transaction is not None and transaction.provisional is not None:
            return f"{text}: it said {transaction.provisional.summary}, and nothing final"
        return f"{text}: is the gateway running there? ({self._heard_last()})"

    def _heard_last(self) -> str:
        heard = f"SIP: {self._line.last_heard()}"
        if self.rtp.last_at is None:
            return f"{heard}; RTP: none"
        return f"{heard}; RTP: {self._loop.time() - self.rtp.last_at:.2f} s ago"
