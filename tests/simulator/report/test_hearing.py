from collections.abc import Sequence

import numpy as np
import pytest

from simulator.audio.heard import Heard
from simulator.audio.pcm import Pcm
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.audio.stamps import Stamp
from simulator.audio.tones import tone
from simulator.report.hearing import (
    envelope,
    find_responses,
    judge_hearing,
    make_lane,
    match_stamps,
)
from simulator.report.lane import FaultKind, StampSeen
from tests.simulator.report.sample import ear_with_stamps, silence

RATE = 8000


def said(identity: int, *at_s: float) -> list[Stamp]:
    return [Stamp(identity, n, at, -20.0) for n, at in enumerate(at_s)]


def test_the_envelope_holds_the_extremes() -> None:
    pcm = np.zeros(1000, dtype=np.int16)
    pcm[250], pcm[251] = 3000, -4000

    low, high = envelope(pcm, buckets=10)

    assert (high[2], low[2]) == (3000, -4000)
    assert not np.any(np.delete(high, 2))
    assert envelope(silence(0.0), buckets=4).shape == (2, 4)
    assert envelope(np.array([5], dtype=np.int16), buckets=4).tolist() == [[5] * 4, [5] * 4]


def test_a_lane_is_placed_at_arrival_and_knows_its_faults() -> None:
    ear = Heard()
    piece = tone(440.0, 0.1, RATE)
    for at_s in (50.5, 50.6, 51.2):
        ear.add(piece, RATE, at_s)

    lane = make_lane("gateway", ear, 50.0, 52.0, ())

    assert lane.pcm is not None
    assert len(lane.pcm) == 2 * RATE
    assert not np.any(lane.pcm[: RATE // 2])
    assert np.array_equal(lane.pcm[RATE // 2 :][:800], piece)
    [hole] = lane.faults
    assert hole.kind is FaultKind.HOLE
    assert (hole.start_s, hole.end_s) == pytest.approx((0.7, 1.2))


def test_a_lane_without_sound_has_no_level() -> None:
    lane = make_lane("gateway", Heard(), 50.0, 51.0, ())

    assert lane.level_dbfs is None
    assert (lane.peak, lane.faults) == (0, ())


def test_what_was_said_meets_what_was_heard() -> None:
    found = match_stamps(
        said(5, 10.0, 11.0, 12.0, 19.0),
        [Stamp(5, 0, 10.25, -20.0), Stamp(5, 2, 12.25, -20.0), Stamp(9, 1, 11.5, -20.0)],
        5,
        10.0,
        20.0,
    )

    assert found == (
        StampSeen(5, 0, 0.0, 0.25),
        StampSeen(5, 1, 1.0, None),
        StampSeen(9, 1, None, 1.5, foreign=True),
        StampSeen(5, 2, 2.0, 2.25),
        StampSeen(5, 3, 9.0, None, due=False),
    )


def test_the_last_calls_audio_is_not_taken_for_this_calls() -> None:
    [said_now, heard_before] = match_stamps(
        said(5, 40.0), [Stamp(5, 0, 10.0, -20.0)], 5, 10.0, 60.0
    )

    assert said_now.said_at_s is None
    assert heard_before.lost


def test_an_interrupted_speaker_owes_nothing() -> None:
    [stamp] = match_stamps(said(5, 10.0), [], 5, 10.0, 60.0, may_be_cut=True)

    assert not stamp.lost


def test_another_voice_is_foreign_even_from_the_speakers_own_mouth() -> None:
    [stamp] = match_stamps(said(9, 10.0), said(9, 10.1), 5, 10.0, 60.0)

    assert stamp.foreign


def test_nobody_is_foreign_where_the_speaker_is_unknown() -> None:
    [stamp] = match_stamps([], said(9, 10.1), None, 10.0, 60.0)

    assert not stamp.foreign


def seen(*numbers: int, lost: int = 0, foreign: int = 0) -> Sequence[StampSeen]:
    return [
        *(StampSeen(5, n, float(at), at + 0.1) for at, n in enumerate(numbers)),
        *(StampSeen(5, 200 + n, 50.0, None) for n in range(lost)),
        *(StampSeen(9, n, None, 60.0, foreign=True) for n in range(foreign)),
    ]


@pytest.mark.parametrize(
    ("stamps_seen", "ok"),
    [
        (seen(0, 1, 2), True),
        (seen(0, 1, 2, lost=1), True),
        (seen(0, 1, 2, lost=2), False),
        (seen(lost=1), False),
        (seen(0, 1, 2, foreign=1), False),
        (seen(0, 2, 1), False),
        (seen(254, 255, 0), True),
    ],
)
def test_who_was_heard_is_judged_by_stamps(stamps_seen: Sequence[StampSeen], ok: bool) -> None:
    assert judge_hearing(stamps_seen, ear_with_stamps(5)).ok is ok


def test_without_stamps_energy_decides_and_is_named() -> None:
    speaking, silent = Heard(), Heard()
    speaking.add(speech(2.0).pcm(1, RATE), RATE, 0.0)
    silent.add(silence(2.0), RATE, 0.0)

    assert judge_hearing((), speaking).ok is True
    assert "by its energy alone" in judge_hearing((), speaking).text
    assert judge_hearing((), silent).ok is False
    assert judge_hearing((), Heard()).ok is False


def test_without_an_ear_nothing_can_be_told() -> None:
    assert judge_hearing(seen(0, 1), None).ok is None


def speaks(*parts: float) -> Pcm:
    """Silence and a tone by turns, in seconds."""
    pieces = [tone(440.0, s, RATE) if n % 2 else silence(s) for n, s in enumerate(parts)]
    return np.concatenate(pieces)


def test_an_answer_is_timed_from_the_last_sound_to_the_first() -> None:
    [response] = find_responses(speaks(1.0, 1.0, 4.0), speaks(2.8, 1.0, 2.2))

    # The 20 ms in which the answer begins must be over before it was heard.
    assert response.asked_until_s == pytest.approx(2.0)
    assert response.ms == pytest.approx(820)


def test_each_utterance_has_its_answer() -> None:
    caller = speaks(1.0, 1.0, 3.0, 1.0, 4.0)
    gateway = speaks(2.4, 1.0, 3.2, 1.0, 2.4)

    assert [one.ms for one in find_responses(caller, gateway)] == [420, 620]


@pytest.mark.parametrize(
    "gateway",
    [speaks(6.0), speaks(1.5, 3.0, 1.5), speaks(0.2, 0.5, 5.3)],
    ids=["silent", "speaking all along", "before"],
)
def test_what_is_no_answer_is_not_timed(gateway: Pcm) -> None:
    assert find_responses(speaks(1.0, 1.0, 4.0), gateway) == ()


def test_a_short_pause_does_not_end_an_utterance() -> None:
    caller = sequence(silence_for(0.5), stamps(every_s=1.0, count=4), silence_for(3.0))

    [response] = find_responses(caller.pcm(5, RATE), speaks(5.0, 1.0))

    assert 1.0 < response.ms / 1000 < 1.7
