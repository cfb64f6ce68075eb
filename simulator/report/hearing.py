"""From what an ear got to a lane: sound, envelope, stamps matched with what was said, faults."""

import itertools
from collections.abc import Sequence

import numpy as np

from simulator.audio.faults import Span, clipped, dropouts
from simulator.audio.heard import Heard
from simulator.audio.levels import dbfs, frame_levels
from simulator.audio.pcm import Pcm
from simulator.audio.stamps import STAMP_S, Stamp
from simulator.report.lane import (
    AudioFault,
    Envelope,
    FaultKind,
    Hearing,
    Lane,
    Response,
    StampSeen,
)

RATE_HZ = 8000
BUCKETS = 500
FAULTS_MAX = 100
STAMPS_MAX = 2000

EARLY_S = 0.1
LATE_S = 20.0
"""A stamp is taken for the one said up to 20 s before: numbers come again after 256."""

FINISHING_S = 1.0
"""A stamp that began so shortly before the end of the call need not be heard any more."""

LOST_MAX = 1
"""Of the stamps that were due one may be lost: at least n - 1."""

LOUD_DBFS = -45.0
PAUSE_S = 0.6
"""A pause within an utterance is shorter; it is the gap of stamps spoken each second."""

FRAME_S = 0.02


def envelope(pcm: Pcm, buckets: int = BUCKETS) -> Envelope:
    """Lowest and highest sample of each of `buckets` equal stretches, [2, buckets]."""
    if len(pcm) == 0:
        return np.zeros((2, buckets), dtype=np.int16)
    edges = np.linspace(0, len(pcm), buckets, endpoint=False).astype(np.int64)
    return np.stack((np.minimum.reduceat(pcm, edges), np.maximum.reduceat(pcm, edges)))


def make_lane(
    speaker: str, ear: Heard, began_at_s: float, ended_at_s: float, stamps: Sequence[StampSeen]
) -> Lane:
    """The lane of what `ear` got between two loop times."""
    duration_s = max(0.0, ended_at_s - began_at_s)
    pcm = ear.pcm(RATE_HZ, began_at_s, began_at_s + duration_s)
    faults = find_faults(pcm, ear, began_at_s, duration_s)
    return Lane(
        speaker=speaker,
        duration_s=duration_s,
        level_dbfs=dbfs(pcm) if ear.pieces else None,
        peak=int(np.max(np.abs(pcm.astype(np.int32)))) if len(pcm) else 0,
        envelope=envelope(pcm),
        stamps=tuple(stamps)[:STAMPS_MAX],
        faults=faults[:FAULTS_MAX],
        faults_dropped=max(0, len(faults) - FAULTS_MAX),
        pcm=pcm,
    )


def find_faults(
    pcm: Pcm, ear: Heard, began_at_s: float, duration_s: float
) -> tuple[AudioFault, ...]:
    """Holes, clipping and dropouts, in order of time."""
    holes = [
        Span(max(0.0, start - began_at_s), min(duration_s, end - began_at_s))
        for start, end in ear.holes()
    ]
    inside = [hole for hole in holes if hole.start_s < hole.end_s]
    cut = [span for span in dropouts(pcm, RATE_HZ) if not any(_meet(span, h) for h in inside)]
    found = [
        AudioFault(kind, span.start_s, span.end_s)
        for kind, spans in (
            (FaultKind.HOLE, inside),
            (FaultKind.CLIPPING, clipped(pcm, RATE_HZ)),
            (FaultKind.DROPOUT, cut),
        )
        for span in spans
    ]
    return tuple(sorted(found, key=lambda fault: fault.start_s))


def _meet(a: Span, b: Span) -> bool:
    return a.start_s <= b.end_s and b.start_s <= a.end_s


def match_stamps(
    said: Sequence[Stamp],
    heard: Sequence[Stamp],
    identity: int | None,
    began_at_s: float,
    ended_at_s: float,
    *,
    may_be_cut: bool = False,
) -> tuple[StampSeen, ...]:
    """What was said joined with what was heard; times from the start of the lane.

    `identity` is the speaker's; None when it is not known who speaks, so nobody is foreign.
    `may_be_cut`: the speaker was interrupted, so that what was not heard was not due.
    """
    waiting = list(heard)
    found: list[StampSeen] = []
    for stamp in said:
        ear = next((one for one in waiting if _is_same(stamp, one)), None)
        if ear is not None:
            waiting.remove(ear)
        finished = stamp.at_s + STAMP_S + FINISHING_S <= ended_at_s
        found.append(
            StampSeen(
                identity=stamp.identity,
                sequence=stamp.sequence,
                said_at_s=stamp.at_s - began_at_s,
                heard_at_s=None if ear is None else ear.at_s - began_at_s,
                foreign=ear is not None and identity not in (None, stamp.identity),
                due=finished and not may_be_cut,
            )
        )
    for stamp in waiting:
        foreign = identity not in (None, stamp.identity)
        at_s = stamp.at_s - began_at_s
        found.append(StampSeen(stamp.identity, stamp.sequence, None, at_s, foreign))
    return tuple(sorted(found, key=lambda one: one.at_s))


def _is_same(said: Stamp, heard: Stamp) -> bool:
    same = (said.identity, said.sequence) == (heard.identity, heard.sequence)
    return same and -EARLY_S <= heard.at_s - said.at_s <= LATE_S


def judge_hearing(
    stamps: Sequence[StampSeen], ear: Heard | None, *, voice_known: bool = True
) -> Hearing:
    """Whether an ear heard the one who speaks to it, and nobody else.

    All stamps that were due but one, none foreign, in growing order. Where none was said, energy
    decides, which proves less; where nobody spoke, nothing is proven.
    """
    if ear is None:
        return Hearing(None, "there is no ear of ours on this side")
    foreign = [stamp for stamp in stamps if stamp.foreign]
    own = [stamp for stamp in stamps if stamp.heard_at_s is not None and not stamp.foreign]
    lost = sum(stamp.lost for stamp in stamps)
    level = f"{ear.level_dbfs():.1f} dBFS"
    if foreign:
        who = ", ".join(str(identity) for identity in sorted({one.identity for one in foreign}))
        stamp = "stamp" if len(foreign) == 1 else "stamps"
        return Hearing(False, f"{len(foreign)} foreign {stamp} (identity {who}), {level}")
    if not own and not lost:
        heard = "speech" if ear.speech() else "no speech"
        known = "nothing was stamped" if voice_known else "the voice is not ours"
        return Hearing(ear.speech(), f"{heard} by its energy alone ({known}), {level}")
    text = f"{len(own)} own stamps, {lost} lost, none foreign, {level}"
    if not voice_known:
        text = f"{len(own)} stamps (the voice is not ours, so nobody's is foreign), {level}"
    if not _in_order(own):
        return Hearing(False, f"{text}, NOT in growing order")
    return Hearing(bool(own) and lost <= LOST_MAX, text)


def _in_order(own: Sequence[StampSeen]) -> bool:
    by_ear = sorted(own, key=lambda one: one.heard_at_s or 0.0)
    pairs = itertools.pairwise(by_ear)
    return all(0 < (b.sequence - a.sequence) % 256 < 128 for a, b in pairs)


def find_responses(caller: Pcm, gateway: Pcm, rate: int = RATE_HZ) -> tuple[Response, ...]:
    """Each utterance of the caller with the first sound of the answer to it.

    Counted to the end of the 20 ms in which that sound is, as it cannot be heard sooner. An
    utterance that ends while the other side speaks, or that nobody answers before the next one,
    gives none.
    """
    quiet = round(PAUSE_S / FRAME_S)
    spoken = np.flatnonzero(frame_levels(caller, rate) > LOUD_DBFS)
    heard = np.flatnonzero(frame_levels(gateway, rate) > LOUD_DBFS)
    found: list[Response] = []
    for index, last in enumerate(spoken):
        after = spoken[index + 1] if index + 1 < len(spoken) else np.inf
        if after - last < quiet:
            continue
        talking = np.any((heard > last - quiet // 2) & (heard <= last))
        answer = heard[(heard > last) & (heard < after)]
        if len(answer) and not talking:
            ends, begins = int(last) + 1, int(answer[0]) + 1
            found.append(Response(ends * FRAME_S, begins * FRAME_S))
    return tuple(found)
