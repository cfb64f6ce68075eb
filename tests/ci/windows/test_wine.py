"""What the job reads of a run, and what it installs."""

from pathlib import Path

import pytest

from ci.windows.wine import APART, RELEASES, Run, constraints, counts_of, requirements

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("....\n===== 7 passed, 2 skipped in 3.1s =====\n", {"passed": 7, "skipped": 2}),
        ("F\n1 failed, 6 passed in 2s\n\n", {"failed": 1, "passed": 6}),
        ("..\nnot over within 600 s: 1 failed", {"failed": 1}),
        ("", {}),
    ],
)
def test_the_last_counts_are_read(said: str, counts: dict[str, int]) -> None:
    assert counts_of(said) == counts


def test_a_part_is_good_if_tests_passed_and_none_failed() -> None:
    passed = {"passed": 7, "skipped": 2}
    assert Run("3.13", "tests/docs", passed, 12.4).good
    assert not Run("3.13", "tests/docs", passed | {"failed": 1}, 12.4).good
    assert not Run("3.13", "tests/docs", passed | {"error": 1}, 12.4).good
    assert not Run("3.13", "tests/docs", {"skipped": 2}, 12.4).good
    line = str(Run("3.13", "tests/docs", passed | {"failed": 1, "error": 2}, 12.4))
    assert line.split() == ["3.13", "tests/docs", "7", "3", "2", "12", "s"]


def test_the_parts_of_a_full_run_are_folders_that_exist_and_do_not_overlap() -> None:
    assert [part for part in APART if not (ROOT / part).is_dir()] == []
    assert [(a, b) for a in APART for b in APART if a != b and a.startswith(f"{b}/")] == []


def test_what_the_project_needs_is_installed_with_the_numpy_that_wine_bears() -> None:
    names = requirements() + constraints()
    assert any(one.startswith("google-genai") for one in names)
    assert not any(one.startswith("numpy") for one in names)


def test_each_release_is_pinned_by_its_hash() -> None:
    assert [release.version for release in RELEASES] == ["3.11", "3.13"]
    assert all(len(release.sha256) == 64 for release in RELEASES)
