"""Why and when a call ends: HangupReason, and the pure deciders behind it.

The deciders are fed with levels, text and `now` (seconds of the event loop's clock) and never wait.
"""

from collections import deque
from enum import StrEnum

LOUD_DBFS = -45.0
"""Below this a frame is never the caller's speech."""
ABOVE_NOISE_DB = 10.0
"""Speech stands so far out of the tracked noise floor."""
SPEECH_WINDOW_FRAMES = 10
SPEECH_FRAMES = 5
"""So many of the last SPEECH_WINDOW_FRAMES must be loud: a click or a crackle is no speech."""
NOISE_RISE_DB_PER_FRAME = 0.06
"""The floor follows a steady noise upwards by 3 dB a second, and falls at once."""
SILENT_DBFS = -96.0


class HangupReason(StrEnum):
    """Why a call ended; the value goes into logs, reports and metrics."""

    CALLER_BYE = "caller_bye"
    CALLER_CANCEL = "caller_cancel"
    NO_ACK = "no_ack"
    NO_SPEECH = "no_speech"
    GOODBYE = "goodbye"
    MAX_DURATION = "max_duration"
    VOICE_LOST = "voice_lost"
    VOICE_REFUSED = "voice_refused"
    VOICE_SILENT = "voice_silent"
    MEDIA_REFUSED = "media_refused"
    NO_PORT = "no_port"
    RTP_NEVER_CAME = "rtp_never_came"
    RTP_STOPPED = "rtp_stopped"
    SHUTDOWN = "shutdown"
    REFUSED = "refused"
    """By a route or the user's hook."""
    OPERATOR = "operator"
    """Ended by hand: DELETE /calls/{id}."""
    SESSION_LOST = "session_lost"
    """The session timer ran out: the other end is silently gone."""
    TRANSFERRED = "transferred"
    CALLEE_BYE = "callee_bye"
    BUSY = "busy"
    DECLINED = "declined"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"
    NOT_ALLOWED = "not_allowed"
    """Of our account, or by its password."""
    UNREACHABLE = "unreachable"
    NOT_CONNECTED = "not_connected"
    """A call of ours that was refused with any other status."""
    FAULT = "fault"

    @property
    def ended_by(self) -> str:
        """Whose decision it was: "caller", "callee" (where we called) or "gateway"."""
        if self in (HangupReason.CALLER_BYE, HangupReason.CALLER_CANCEL):
            return "caller"
        return "callee" if self in BY_CALLEE else "gateway"


BY_CALLEE = (
    HangupReason.CALLEE_BYE,
    HangupReason.BUSY,
    HangupReason.DECLINED,
    HangupReason.NOT_FOUND,
    HangupReason.NO_ANSWER,
    HangupReason.NOT_ALLOWED,
    HangupReason.UNREACHABLE,
    HangupReason.NOT_CONNECTED,
)
BY_STATUS = {
    HangupReason.BUSY: (486, 600),
    HangupReason.DECLINED: (603,),
    HangupReason.NOT_FOUND: (404, 410, 484, 604),
    HangupReason.NO_ANSWER: (408, 480, 487),
    HangupReason.NOT_ALLOWED: (401, 403, 407),
    HangupReason.MEDIA_REFUSED: (415, 488, 606),
}


def refused_with(status: int) -> HangupReason:
    """Say what the final answer to a call of ours means."""
    for reason, statuses in BY_STATUS.items():
        if status in statuses:
            return reason
    return HangupReason.UNREACHABLE if 500 <= status < 600 else HangupReason.NOT_CONNECTED


class SpeechDetector:
    """Tells speech from silence and comfort noise by the level of 20 ms frames.

    Speech: SPEECH_FRAMES of the last SPEECH_WINDOW_FRAMES above LOUD_DBFS and ABOVE_NOISE_DB over
    the noise floor.
    """

    def __init__(self) -> None:
        self._noise_dbfs = SILENT_DBFS + 30
        self._loud: deque[bool] = deque(maxlen=SPEECH_WINDOW_FRAMES)

    def frame(self, level_dbfs: float) -> bool:
        """Take the level of the next frame; say whether that frame belongs to speech."""
        level_dbfs = max(level_dbfs, SILENT_DBFS)
        loud = level_dbfs > LOUD_DBFS and level_dbfs > self._noise_dbfs + ABOVE_NOISE_DB
        self._loud.append(loud)
        self._noise_dbfs = min(level_dbfs, self._noise_dbfs + NOISE_RISE_DB_PER_FRAME)
        return loud and sum(self._loud) >= SPEECH_FRAMES


class SilenceClock:
    """Since when has nobody spoken: the latest of answer, caller's speech or digit, our sound.

    After so much silence the model may ask once whether the caller is there (`check_in_s`, 0 for
    never); what it says then moves no clock.
    """

    def __init__(self, answered_at: float, timeout_s: float, check_in_s: float = 0.0) -> None:
        self.quiet_since = answered_at
        self._timeout_s = timeout_s
        self._check_in_s = check_in_s
        self._asked_at: float | None = None
        self._pauses = 0

    def pause(self) -> None:
        """Stop until `resume`: somebody is waited for. Pauses may overlap."""
        self._pauses += 1

    def resume(self, now: float) -> None:
        """End one pause; after the last the clock begins anew."""
        self._pauses -= 1
        self.heard_at(now)

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._pauses > 0

    def heard_at(self, when: float) -> None:
        """Note that the caller was heard at `when`: speech, a digit, a transcript."""
        self.quiet_since = max(self.quiet_since, when)
        if self._asked_at is not None and when > self._asked_at:
            self._asked_at = None

    def played_at(self, when: float) -> None:
        """Note that our own sound was heard at `when`."""
        if self._asked_at is None:
            self.quiet_since = max(self.quiet_since, when)

    def asks(self, now: float) -> bool:
        """Say, once in a silence, that it is time to ask whether the caller is there."""
        if not self._may_ask or now < self.quiet_since + self._check_in_s:
            return False
        self._asked_at = now
        return True

    @property
    def next_at(self) -> float:
        """When there is something to do: to ask, or to hang up."""
        return self.quiet_since + self._check_in_s if self._may_ask else self.deadline

    @property
    def deadline(self) -> float:
        """When the call ends unless somebody speaks before."""
        return self.quiet_since + self._timeout_s

    @property
    def _may_ask(self) -> bool:
        return self._check_in_s > 0 and self._asked_at is None
