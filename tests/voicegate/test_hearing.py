"""When a UDP socket is held to be deaf."""

from itertools import pairwise

from voicegate.hearing import GAP_S, Hearing

QUIET_S = 1.0


def test_a_socket_without_an_error_is_well_however_quiet_it_is() -> None:
    assert Hearing(QUIET_S).due is None


def test_trap_15_quiet_after_an_error_is_deafness() -> None:
    hearing = Hearing(QUIET_S)
    hearing.erred(100.0)
    hearing.erred(100.9)
    assert hearing.due == 100.0 + QUIET_S
    assert hearing.errors == 2


def test_whoever_hears_is_not_deaf() -> None:
    hearing = Hearing(QUIET_S)
    hearing.erred(100.0)
    hearing.heard()
    assert hearing.due is None
    hearing.erred(107.0)
    assert hearing.due == 107.0 + QUIET_S


def test_quiet_proves_nothing_while_nothing_is_expected() -> None:
    hearing = Hearing(QUIET_S)
    hearing.erred(100.0)
    hearing.postpone(101.0)
    assert hearing.due == 101.0 + QUIET_S


def test_a_socket_that_errs_all_the_time_is_replaced_at_a_bounded_rate() -> None:
    hearing = Hearing(QUIET_S)
    at = []
    for ms in range(100_000, 120_000, 20):
        hearing.erred(ms / 1000)
        if (hearing.due or 0.0) <= ms / 1000:
            at.append(ms / 1000)
            hearing.tried(ms / 1000, done=True)
    assert hearing.replaced == len(at) == 4
    assert min(later - earlier for earlier, later in pairwise(at)) >= GAP_S


def test_what_the_system_refused_is_tried_again_and_not_counted_as_done() -> None:
    hearing = Hearing(QUIET_S)
    hearing.erred(100.0)
    hearing.tried(101.0, done=False)
    assert (hearing.due, hearing.replaced) == (101.0 + GAP_S, 0)
    hearing.tried(106.0, done=True)
    assert (hearing.due, hearing.replaced) == (None, 1)
