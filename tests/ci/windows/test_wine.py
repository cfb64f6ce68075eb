"""What the job reads of a run, and what it installs."""

import pytest

from ci.windows.wine import RELEASES, constraints, counts_of, requirements


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


def test_what_the_project_needs_is_installed_with_the_numpy_that_wine_bears() -> None:
    names = requirements() + constraints()
    assert any(one.startswith("google-genai") for one in names)
    assert not any(one.startswith("numpy") for one in names)


def test_each_release_is_pinned_by_its_hash() -> None:
    assert [release.version for release in RELEASES] == ["3.11", "3.13"]
    assert all(len(release.sha256) == 64 for release in RELEASES)
