"""When to try again after a lost connection, and when no more. Pure: takes `now`."""

from dataclasses import dataclass
from random import Random

from voicegate.voice.faults import Action, Verdict

STEPS_S = (0.5, 1.0, 2.0, 4.0)
"""The waits between two tries; the last one stays."""
JITTER = 0.25
"""A wait is longer by up to this part of itself, so that not all calls come back at once."""
STABLE_S = 5.0
"""A connection that was up so long ends the trouble: the next loss has a budget of its own."""
AT_ONCE = (Action.RESUME, Action.FRESH, Action.RENEW)
RESUMES_MAX = 2
"""So many set-ups with a handle may be refused; then the conversation begins anew."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One more try."""

    wait_s: float
    """To be waited before it."""
    fresh: bool
    """Begin anew; else go on with the handle, where there is one."""
    limit_s: float
    """What is left of the budget when it begins."""


class Retries:
    """The patience of one conversation."""

    def __init__(self, random: Random, budget_s: float) -> None:
        self._random = random
        self._budget_s = budget_s
        self._up_at = self._since = float("-inf")
        self._tries = self._waits = self._resumes_refused = 0
        self._began_anew = False

    def connected(self, now: float) -> None:
        """Learn that a connection is up."""
        self._up_at = now

    def lost(self, now: float) -> None:
        """Learn that it is gone; soon after the last loss this is the same trouble."""
        if self._tries == 0 or now - self._up_at >= STABLE_S:
            self._begin(now)

    def next(self, verdict: Verdict, now: float) -> Attempt | None:
        """Give the next try, None where there is none."""
        action = verdict.action
        if action is Action.GIVE_UP or (action is Action.FRESH and self._began_anew):
            return None
        self._resumes_refused += verdict.refused
        fresh = action in (Action.FRESH, Action.RENEW) or self._resumes_refused == RESUMES_MAX
        if fresh:
            self._began_anew, self._resumes_refused = True, 0
        wait_s = self._wait_s(action)
        left_s = self._since + self._budget_s - now - wait_s
        return Attempt(wait_s, fresh, left_s) if left_s > 0 else None

    def _begin(self, now: float) -> None:
        self._since = now
        self._tries = self._waits = self._resumes_refused = 0
        self._began_anew = False

    def _wait_s(self, action: Action) -> float:
        self._tries += 1
        if self._tries == 1 and action in AT_ONCE:
            return 0.0
        step = len(STEPS_S) - 1 if action is Action.LONG_BACK_OFF else self._waits
        self._waits = min(step + 1, len(STEPS_S) - 1)
        return STEPS_S[step] * (1 + JITTER * self._random.random())
