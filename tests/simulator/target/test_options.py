"""The contract's options and markers are there, each with its help."""

import re
from pathlib import Path

import pytest

from simulator.target.options import HELP, MARKERS, OPTIONS

CONTRACT = ("--gateway", "--gate", "--dial", "--clock", "--seed", "--report", "--gemini-listen")
PYTESTS_OWN = ("parametrize", "skipif", "usefixtures")
SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


def test_every_option_of_the_contract_is_declared() -> None:
    assert {name for name, _ in OPTIONS} >= set(CONTRACT)


def test_every_option_says_what_it_does() -> None:
    assert {name for name, _ in OPTIONS} == set(HELP)


def test_every_marker_says_what_it_means() -> None:
    assert all(": " in marker for marker in MARKERS)


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.py")), ids=lambda file: file.stem)
def test_scenarios_bear_only_markers_that_travel_with_them(file: Path) -> None:
    # `gatesim accept` collects them without this project's pyproject.toml
    used = set(re.findall(r"pytest\.mark\.(\w+)", file.read_text(encoding="utf-8")))
    declared = {re.split(r"[(:]", marker)[0] for marker in MARKERS}
    assert used <= declared | set(PYTESTS_OWN)
