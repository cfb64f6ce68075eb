"""The folder for a host without internet: what is asked for, and what its reader is told."""

import pytest

from ci.bundle import PLATFORMS, Platform, steps


def test_older_linux_wheels_are_taken_too_and_a_year_is_written_without_a_line() -> None:
    tags = PLATFORMS["linux_x86_64"].tags
    assert {"manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64"} <= {*tags}
    assert "manylinux_2014_x86_64" not in tags
    assert "manylinux1_x86_64" in tags


@pytest.mark.parametrize(
    ("name", "begins", "program"),
    [
        ("win_arm64", "py -3.13 -m venv .venv", ".venv\\Scripts\\voicegate demo"),
        ("linux_x86_64", "python3.13 -m venv .venv", ".venv/bin/voicegate demo"),
    ],
)
def test_the_steps_are_the_hosts_own(name: str, begins: str, program: str) -> None:
    where: Platform = PLATFORMS[name]
    lines = steps(where, "3.13").splitlines()
    assert begins in lines
    assert program in lines
    assert any('--no-index --find-links BUNDLE/wheels "voicegate[report]"' in one for one in lines)
