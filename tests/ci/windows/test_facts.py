"""Every test that docs/windows.md names for a fact exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_each_fact_names_tests_that_exist() -> None:
    facts = re.split(r"^\d\. ", (ROOT / "docs/windows.md").read_text(encoding="utf-8"), flags=re.M)
    assert len(facts) == 8
    for fact in facts[1:]:
        named = re.findall(r"`((?:tests|scenarios)/[\w/]+\.py)(?:::(\w+))?`", fact)
        assert named, fact
        for file, test in named:
            assert test in (ROOT / file).read_text(encoding="utf-8")
