"""The contract's options are there, each with its help."""

from simulator.target.options import HELP, MARKERS, OPTIONS

CONTRACT = ("--gateway", "--gate", "--dial", "--clock", "--seed", "--report", "--gemini-listen")


def test_every_option_of_the_contract_is_declared() -> None:
    assert {name for name, _ in OPTIONS} >= set(CONTRACT)


def test_every_option_says_what_it_does() -> None:
    assert {name for name, _ in OPTIONS} == set(HELP)


def test_every_marker_says_what_it_means() -> None:
    assert all(": " in marker for marker in MARKERS)
