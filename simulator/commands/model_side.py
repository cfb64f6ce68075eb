"""The model's side of a soak: a fake Gemini that speaks stamps, and who heard whom.

Loaded only where a soak brings its own model: google-genai comes with it.
"""

from collections import Counter

from simulator.audio.heard import Evidence
from simulator.audio.sound import stamps
from simulator.audio.stamps import Stamp
from simulator.commands.one_call import MODEL_IDENTITIES, Carried
from simulator.commands.sounds import STAMPS_EVERY_S
from simulator.gemini.conversation import FakeSession
from simulator.gemini.memory import forget
from simulator.gemini.server import FakeGemini

LATE_S = 60.0
"""A conversation that nobody claimed so long after its end is let go of."""


class ModelSide:
    """Proves of each call that its caller and one conversation heard each other, and no others."""

    def __init__(self, fake: FakeGemini) -> None:
        self._fake = fake
        self._unclaimed: list[FakeSession] = []
        self._claimed: list[FakeSession] = []
        self._seen = 0
        fake.always(say=stamps(every_s=STAMPS_EVERY_S))

    async def failures(self, carried: Carried, at_least: int) -> list[str]:
        """Tell what is missing between a call and its conversation."""
        call = carried.call
        await self._let_go(call.ended_at or 0.0)
        session = self._session_of(carried)
        if session is None:
            return [f"the caller's ear: no model was heard, {call.heard.level_dbfs():.1f} dBFS"]
        self._unclaimed.remove(session)
        self._claimed.append(session)
        by_caller = Evidence(
            session.identity, at_least, tuple(carried.stamps), call.heard.level_dbfs()
        )
        by_model = session.heard.only_from(call, at_least)
        ears = {"the caller's ear": by_caller, "the model's ear": by_model}
        return [f"{ear}: {proof!r}" for ear, proof in ears.items() if not proof]

    @property
    def violations(self) -> list[str]:
        """The rules of the service that the gateway broke."""
        return [f"{one.rule}: {one.text}" for one in self._fake.violations]

    def _session_of(self, carried: Carried) -> FakeSession | None:
        """Find the conversation that the caller heard, by its stamps."""
        heard = Counter(s.identity for s in carried.stamps if s.identity >= MODEL_IDENTITIES)
        if not heard:
            return None
        identity = heard.most_common(1)[0][0]
        began_at = carried.call.invited_at or 0.0
        ended_at = carried.call.ended_at or began_at
        same = [
            one
            for one in self._unclaimed
            if one.identity == identity and began_at <= one.opened_at_s <= ended_at
        ]
        if len(same) < 2:
            return same[0] if same else None
        # Identities repeat where more than 128 talk at once: then the other ear decides.
        own = carried.call.identity
        return max(same, key=lambda one: _count(one.heard.stamps(), own))

    async def _let_go(self, now: float) -> None:
        """Drop the recordings of conversations that are over and were looked at, or never will."""
        self._unclaimed += self._fake.sessions[self._seen :]
        self._seen = len(self._fake.sessions)
        done = [one for one in self._claimed if one.closed_at_s is not None]
        late = [
            one
            for one in self._unclaimed
            if one.closed_at_s is not None and one.closed_at_s < now - LATE_S
        ]
        self._claimed = [one for one in self._claimed if one not in done]
        self._unclaimed = [one for one in self._unclaimed if one not in late]
        for session in done + late:
            await forget(self._fake, session)


def _count(heard: list[Stamp], identity: int) -> int:
    return sum(stamp.identity == identity for stamp in heard)
