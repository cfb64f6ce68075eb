"""What a target says of its own log."""

import pytest

from simulator.target.target import SINS, Target


def with_log(text: str) -> Target:
    return Target("a gateway", ("127.0.0.1", 5060), log=lambda: text)


@pytest.mark.parametrize("sin", SINS)
def test_a_line_with_a_bad_word_is_named(sin: str) -> None:
    assert with_log(f"fine\noh: {sin}!\nfine").sins() == [f"oh: {sin}!"]


def test_a_clean_log_has_no_sins() -> None:
    assert with_log("call ended\nmodel closed").sins() == []


def test_no_log_is_no_sin() -> None:
    assert Target("a gateway", ("127.0.0.1", 5060)).sins() == []
