"""The table of docs/windows.md: each fact has tests, and they exist."""

import re
from pathlib import Path

from tests.docs.test_commands import PLACE, stands

PAGE = (Path(__file__).parents[3] / "docs/windows.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_each_fact_has_rows_of_tests_that_exist() -> None:
    facts = re.findall(r"^(\d)\. \*\*", PAGE, re.MULTILINE)
    rows = ROW.findall(PAGE)
    assert facts == [str(number) for number in range(1, 9)]
    assert [number for number, _, _ in rows] == sorted(number for number, _, _ in rows)
    assert {number for number, _, _ in rows} == set(facts)
    for _, what, tests in rows:
        named = re.findall(r"`([^`]+::\w+)`", tests)
        assert named, what
        assert [one for one in named if not (PLACE.fullmatch(one) and stands(one))] == [], what
