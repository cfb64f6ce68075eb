"""The patience after a lost connection: waits, budget, and when to begin anew."""

from random import Random

import pytest

from voicegate.voice.faults import Action, Verdict
from voicegate.voice.retries import STABLE_S, STEPS_S, Attempt, Retries

NOW = 1000.0
CUT = Verdict("cut", Action.RESUME)
INTERNAL = Verdict("1011", Action.BACK_OFF)
REFUSED = Verdict("1011", Action.BACK_OFF, refused=True)
INVALID = Verdict("1007", Action.FRESH)
QUOTA = Verdict("429", Action.LONG_BACK_OFF)


def retries(budget_s: float = 30.0, seed: int = 1) -> Retries:
    patience = Retries(Random(seed), budget_s)
    patience.connected(NOW - 600)
    patience.lost(NOW)
    return patience


def attempts(patience: Retries, *verdicts: Verdict) -> list[Attempt]:
    """Follow the verdicts, the last one until there is no further try; tries take no time."""
    made, now, rest = [], NOW, list(verdicts)
    while (attempt := patience.next(rest[0], now)) is not None:
        rest = rest[1:] or rest
        made.append(attempt)
        now += attempt.wait_s
        assert len(made) < 100
    return made


def test_a_cut_connection_is_had_again_at_once_and_then_with_growing_waits() -> None:
    waits = [one.wait_s for one in attempts(retries(), CUT, INTERNAL)]
    assert waits[0] == 0.0
    for wait_s, step_s in zip(waits[1:5], STEPS_S, strict=True):
        assert step_s <= wait_s <= step_s * 1.25
    assert all(4.0 <= wait_s <= 5.0 for wait_s in waits[5:])


@pytest.mark.parametrize("verdict", [INTERNAL, QUOTA])
def test_all_tries_together_stay_within_the_budget(verdict: Verdict) -> None:
    made = attempts(retries(), verdict)
    assert 25 <= sum(one.wait_s for one in made) < 30
    assert made[-1].limit_s == pytest.approx(30 - sum(one.wait_s for one in made))


def test_the_quota_is_given_time_from_the_first_try_on() -> None:
    assert attempts(retries(), QUOTA)[0].wait_s >= STEPS_S[-1]


def test_the_waits_come_from_the_seed() -> None:
    assert attempts(retries(seed=7), INTERNAL) == attempts(retries(seed=7), INTERNAL)
    assert attempts(retries(seed=7), INTERNAL) != attempts(retries(seed=8), INTERNAL)


def test_without_a_budget_there_is_no_try() -> None:
    assert attempts(retries(budget_s=0.0), CUT) == []


def test_what_would_fail_again_is_not_tried() -> None:
    assert attempts(retries(), Verdict("401", Action.GIVE_UP)) == []


def test_a_payload_that_was_refused_is_changed_once_and_never_sent_again() -> None:
    assert [one.fresh for one in attempts(retries(), INVALID)] == [True]


def test_a_handle_that_is_refused_twice_is_given_up() -> None:
    made = attempts(retries(), CUT, REFUSED, REFUSED, INTERNAL)
    assert [one.fresh for one in made[:4]] == [False, False, True, False]


def test_a_connection_that_was_up_for_long_ends_the_trouble() -> None:
    patience = retries()
    attempts(patience, INVALID)
    patience.connected(NOW + 10)
    patience.lost(NOW + 10 + STABLE_S)
    attempt = patience.next(INVALID, NOW + 10 + STABLE_S)
    assert attempt == Attempt(wait_s=0.0, fresh=True, limit_s=30.0)


def test_connections_that_are_lost_at_once_are_one_trouble() -> None:
    patience, now, tries = retries(), NOW, 0
    while (attempt := patience.next(CUT, now)) is not None:
        tries += 1
        now += attempt.wait_s
        patience.connected(now)
        now += 0.1
        patience.lost(now)
    assert 8 <= tries <= 12
    assert now - NOW == pytest.approx(30, abs=5)
