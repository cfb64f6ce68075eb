"""Watchdogs: is the model well? Pure deciders, fed with what it sends and what the caller does.

Each gives an Alarm once and then begins anew. The cases are known faults of the service: turns
without sound, responses it rejects itself, sound without energy, a tone instead of speech, and a
greeting that never comes.
"""

from enum import StrEnum

from voicegate.media.level import SILENT_DBFS, level_dbfs
from voicegate.media.tonal import SteadyTone

GREETING_LIMIT_S = 4.0
"""A greeting that was asked for must be heard so soon."""
EMPTY_TURNS = 2
"""So many turns of the caller without sound of the model are too many."""
TURN_GAP_S = 1.5
"""Speech after so long a pause is another turn of the caller."""
ANSWER_LIMIT_S = 5.0
"""So long the second unanswered turn waits where the model does not even end its turn."""
REJECTIONS = 2
NO_REJECTION = ("", "TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT")
"""Reasons of a turn's end that blame nobody; all others say that the answer was withheld."""
NEAR_SILENT_DBFS = -55.0
"""A reply of which nothing is louder says nothing."""
NEAR_SILENT_S = 0.4
"""Less sound than this proves nothing."""
NEAR_SILENT_LIMIT_S = 3.0
"""So much of it is enough without the turn's end."""
TONE_LIMIT_S = 5.0


class Alarm(StrEnum):
    """What is wrong with the model; the value goes into logs, the story and metrics."""

    NO_GREETING = "no_greeting"
    EMPTY_TURNS = "empty_turns"
    REJECTED_RESPONSES = "rejected_responses"
    NEAR_SILENT = "near_silent"
    STEADY_TONE = "steady_tone"


class GreetingWatch:
    """A model that was told to greet must be heard."""

    def __init__(self) -> None:
        self._due: float | None = None

    def asked(self, now: float) -> None:
        """Note that the model was told to greet."""
        self._due = now + GREETING_LIMIT_S

    def stand_down(self) -> None:
        """Note that somebody speaks: the conversation has begun."""
        self._due = None

    def check(self, now: float) -> Alarm | None:
        """Give the alarm when it is due."""
        if self._due is None or now < self._due:
            return None
        self._due = None
        return Alarm.NO_GREETING


class AnswerWatch:
    """Turns of the caller must be answered by sound."""

    def __init__(self) -> None:
        self._empty = self._rejected = 0
        self._waiting = False
        self._spoke_at = float("-inf")

    def caller_speaks(self, now: float) -> None:
        """Note speech of the caller, at every frame of it."""
        if self._waiting and now - self._spoke_at > TURN_GAP_S:
            self._empty += 1
        self._waiting, self._spoke_at = True, now

    def answered(self) -> None:
        """Note that the model does something for the caller: sound, or the use of a tool."""
        self._waiting, self._empty, self._rejected = False, 0, 0

    def turn_complete(self, reason: str) -> Alarm | None:
        """Note the end of a turn without sound."""
        if reason not in NO_REJECTION:
            self._rejected += 1
        if self._waiting:
            self._waiting = False
            self._empty += 1
        if self._rejected >= REJECTIONS:
            return self._raise(Alarm.REJECTED_RESPONSES)
        return self._raise(Alarm.EMPTY_TURNS) if self._empty >= EMPTY_TURNS else None

    def check(self, now: float) -> Alarm | None:
        """Give the alarm where the model ends no turn either."""
        late = self._waiting and now - self._spoke_at > ANSWER_LIMIT_S
        return self._raise(Alarm.EMPTY_TURNS) if late and self._empty + 1 >= EMPTY_TURNS else None

    def _raise(self, alarm: Alarm) -> Alarm:
        self.answered()
        return alarm


class SoundWatch:
    """The sound of one turn of the model must be speech."""

    def __init__(self) -> None:
        self.loudest_dbfs = SILENT_DBFS
        self._seconds = 0.0
        self._tone = SteadyTone()

    @property
    def heard(self) -> bool:
        """Whether there was anything in it that can be heard."""
        return self.loudest_dbfs >= NEAR_SILENT_DBFS

    def hear(self, pcm16: bytes, sample_rate_hz: int) -> Alarm | None:
        """Take the next piece."""
        self._seconds += len(pcm16) / 2 / sample_rate_hz
        self.loudest_dbfs = max(self.loudest_dbfs, level_dbfs(pcm16))
        self._tone.hear(pcm16, sample_rate_hz)
        if self._tone.lasts_s > TONE_LIMIT_S:
            return Alarm.STEADY_TONE
        return self._near_silent(NEAR_SILENT_LIMIT_S)

    def over(self) -> Alarm | None:
        """Judge the turn as a whole."""
        return self._near_silent(NEAR_SILENT_S)

    def _near_silent(self, enough_s: float) -> Alarm | None:
        return Alarm.NEAR_SILENT if self._seconds >= enough_s and not self.heard else None


class Watchdogs:
    """All of them, over one conversation."""

    def __init__(self) -> None:
        self.turns_heard = 0
        """Turns of the model that were well."""
        self._greeting = GreetingWatch()
        self._answers = AnswerWatch()
        self._sound = SoundWatch()
        self._void = False

    def greeting_asked(self, now: float) -> None:
        """Note that the model was told to greet."""
        self._greeting.asked(now)

    def caller_speaks(self, now: float) -> None:
        """Note speech of the caller that the model should answer."""
        self._greeting.stand_down()
        self._answers.caller_speaks(now)

    def tool_called(self) -> None:
        """Note that the model is at work."""
        self._void = True
        self._greeting.stand_down()
        self._answers.answered()

    def model_sounds(self, pcm16: bytes, sample_rate_hz: int) -> Alarm | None:
        """Take sound of the model."""
        alarm = self._sound.hear(pcm16, sample_rate_hz)
        if alarm is not None:
            self._sound = SoundWatch()
        elif self._sound.heard:
            self._greeting.stand_down()
            self._answers.answered()
        return alarm

    def interrupted(self) -> None:
        """Note that the turn was cut: it proves nothing about the model."""
        self._void, self._sound = True, SoundWatch()

    def turn_complete(self, reason: str) -> Alarm | None:
        """Judge the turn that is over."""
        sound, self._sound = self._sound, SoundWatch()
        void, self._void = self._void, False
        if sound.heard:
            self.turns_heard += 1
            return None
        return sound.over() or (None if void else self._answers.turn_complete(reason))

    def stand_down(self) -> None:
        """Note that nobody can speak for now: the connection is being replaced."""
        self._greeting.stand_down()
        self._answers.answered()
        self._void, self._sound = False, SoundWatch()

    def check(self, now: float) -> Alarm | None:
        """Give the alarm that time alone brings."""
        return self._greeting.check(now) or self._answers.check(now)
