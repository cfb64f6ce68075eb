"""One call from the INVITE to the verdict: what `call`, `gate` and `soak` have in common."""

import asyncio
import math
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from simulator.audio.levels import dbfs
from simulator.audio.sound import Sound, sequence, silence_for
from simulator.audio.stamps import Stamp
from simulator.commands.running import Stop
from simulator.commands.sounds import loud_s, response_ms, speech_in
from simulator.commands.tally import percentile
from simulator.gate.caller import CallRefused, NoAnswer, SimulatedCall
from simulator.gate.gate import SimulatedGate

RATE_HZ = 8000
AFTER_END_S = 0.3
"""RTP that still comes 250 ms after the end is a violation: so long it is waited for."""

MODEL_IDENTITIES = 128
"""Callers' stamps carry identities below this, models' from it on."""

TEXTS_MAX = 20


@dataclass(frozen=True)
class CallPlan:
    """What is to happen in a call."""

    number: str
    """Whom to dial."""
    speak: Sound
    """What the caller says."""
    listen_s: float
    """How long the call goes on after the last word; from the answer, for a sound without end."""
    caller: str = "100"
    """Who calls."""
    speak_after_s: float = 0.0
    """Silence before the first word."""
    answer_within_s: float = 10.0
    """How long to wait for the answer."""
    expect_audio: bool = True
    """Whether it is a failure to hear nothing."""
    identity: int | None = None
    """The identity in the caller's stamps; None: the gate numbers its calls."""

    @property
    def lasts_s(self) -> float:
        """Seconds from the answer to the caller's BYE."""
        before_s = 0.0 if self.endless else self.speak_after_s + self.speak.duration_s
        return before_s + self.listen_s

    @property
    def endless(self) -> bool:
        """Whether the caller never comes to an end."""
        return math.isinf(self.speak.duration_s)

    @property
    def sound(self) -> Sound:
        """What the caller says, the silence before it included."""
        if self.speak_after_s <= 0:
            return self.speak
        return sequence(silence_for(self.speak_after_s), self.speak)


@dataclass(frozen=True)
class Carried:
    """A call that is over."""

    call: SimulatedCall
    """The call, with its recordings."""
    refusal: str = ""
    """Why it was not answered with 200."""
    no_answer: str = ""
    """Which request was left without an answer."""

    @cached_property
    def stamps(self) -> list[Stamp]:
        """The stamps that the caller heard."""
        return self.call.heard.stamps()


@dataclass(frozen=True)
class CallResult:
    """The verdict and the figures of one call; a missing measurement is None, never 0."""

    ok: bool
    """Whether every check held."""
    failures: tuple[str, ...]
    """Each check that did not, in words."""
    number: str
    """Who was dialled."""
    identity: int
    """The identity in the caller's stamps."""
    answered: bool
    """Whether a 200 came."""
    status: int | None
    """The final status of the INVITE."""
    retry_after_s: int | None
    """Retry-After of a refusal."""
    setup_ms: float | None
    """From INVITE to 200."""
    lasted_s: float | None
    """From the 200 to the BYE."""
    ended_by: str | None
    """caller or gateway."""
    heard_dbfs: float | None
    """Level of all that was heard; None where no RTP came."""
    heard_speech: bool
    """Energy worth calling speech in at least half a second."""
    heard_loud_s: float
    """Seconds in which something was to be heard."""
    response_ms: float | None
    """From the end of the caller's words to the next sound heard."""
    echo_ms: float | None
    """Median time from a stamp spoken to the same one heard, where the gateway echoes."""
    stamps_heard: dict[str, int]
    """Stamps in what was heard, by identity."""
    rtp: dict[str, Any]
    """packets, lost, longest_gap_ms, interval_p50_ms, interval_p99_ms of what came in."""
    violations: tuple[str, ...]
    """The rules the gateway broke, at most 20."""

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self)


async def carry(gate: SimulatedGate, plan: CallPlan, stop: Stop) -> Carried:
    """Make the call; it ends early when the gateway hangs up or `stop` is asked for."""
    call = await gate.dial(
        plan.number,
        speak=plan.sound,
        caller=plan.caller,
        identity=plan.identity,
        until="sent",
    )
    refusal = no_answer = ""
    with stop.does(call.abandon):
        try:
            await call.answered(plan.answer_within_s)
            with suppress(AssertionError):  # it did not end by itself: as planned
                await call.ended(within_s=plan.lasts_s)
            await call.hang_up()
        except CallRefused as refused:
            # RFC 3261 15.1.2: 487 is the answer to our own giving up.
            refusal = "" if stop.asked and refused.status == 487 else str(refused)
        except NoAnswer as silent:
            no_answer = str(silent)
            call.abandon()
    if call.answered_at is not None:
        await asyncio.sleep(AFTER_END_S)
    return Carried(call, refusal, no_answer)


def judge(carried: Carried, plan: CallPlan) -> CallResult:
    """Look at a call that is over."""
    call = carried.call
    stats = call.rtp
    heard = call.heard.pcm(RATE_HZ)
    failures = [*_failures(carried, plan)]
    intervals_ms = [1000 * one for one in stats.intervals_s]
    return CallResult(
        ok=not failures,
        failures=tuple(failures),
        number=call.number,
        identity=call.identity,
        answered=call.answered_at is not None,
        status=call.final_status,
        retry_after_s=call.retry_after_s,
        setup_ms=_ms(call.setup_s),
        lasted_s=_lasted_s(call),
        ended_by=call.ended_by if call.answered_at is not None else None,
        heard_dbfs=round(dbfs(heard), 1) if stats.packets else None,
        heard_speech=speech_in(heard, RATE_HZ),
        heard_loud_s=loud_s(heard, RATE_HZ),
        response_ms=None if plan.endless else response_ms(*lanes(call), RATE_HZ),
        echo_ms=_echo_ms(carried),
        stamps_heard=_counted(carried.stamps),
        rtp={
            "packets": stats.packets,
            "lost": stats.lost,
            "longest_gap_ms": round(stats.longest_gap_s * 1000, 1) if stats.packets else None,
            "interval_p50_ms": percentile(intervals_ms, 50),
            "interval_p99_ms": percentile(intervals_ms, 99),
        },
        violations=tuple(str(one) for one in call.violations[:TEXTS_MAX]),
    )


def _failures(carried: Carried, plan: CallPlan) -> Iterator[str]:
    call = carried.call
    if carried.refusal:
        yield carried.refusal
    if carried.no_answer:
        yield carried.no_answer
    if call.answered_at is None:
        if not carried.refusal and not carried.no_answer:
            yield "given up before it was answered"
    elif plan.expect_audio:
        heard = call.heard.pcm(RATE_HZ)
        if not speech_in(heard, RATE_HZ):
            yield f"no speech was heard: {call.rtp.packets} RTP packets, {dbfs(heard):.1f} dBFS"
    yield from _strangers(carried.stamps, call.identity)
    if call.violations:
        more = f" and {len(call.violations) - 1} more" if len(call.violations) > 1 else ""
        yield f"rules broken: {call.violations[0]}{more}"


def _strangers(stamps: list[Stamp], own: int) -> Iterator[str]:
    """Who was heard that has no business in this call: another caller, or a second model."""
    others = sorted({stamp.identity for stamp in stamps} - {own})
    callers = [one for one in others if one < MODEL_IDENTITIES]
    models = [one for one in others if one >= MODEL_IDENTITIES]
    if callers:
        yield f"another caller was heard: identity {', '.join(map(str, callers))}"
    if len(models) > 1:
        yield f"more than one model was heard: identity {', '.join(map(str, models))}"


def lanes(call: SimulatedCall) -> tuple[Any, Any]:
    """Give what the caller said and heard, sample for sample beside each other."""
    began_at, ended_at = call.answered_at or 0.0, call.ended_at or 0.0
    spoken = call.spoken.pcm(RATE_HZ, began_at, ended_at)
    return spoken, call.heard.pcm(RATE_HZ, began_at, ended_at)


def _echo_ms(carried: Carried) -> float | None:
    call = carried.call
    own = [stamp for stamp in carried.stamps if stamp.identity == call.identity]
    if not own:
        return None
    spoken_at = {stamp.sequence: stamp.at_s for stamp in call.spoken.stamps()}
    ways = [one.at_s - spoken_at[one.sequence] for one in own if one.sequence in spoken_at]
    return _ms(statistics.median(ways)) if ways else None


def _counted(stamps: list[Stamp]) -> dict[str, int]:
    found = Counter(stamp.identity for stamp in stamps)
    return {str(identity): count for identity, count in sorted(found.items())}


def _lasted_s(call: SimulatedCall) -> float | None:
    if call.answered_at is None or call.ended_at is None:
        return None
    return round(call.ended_at - call.answered_at, 3)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
