"""A run of the whole scenarios folder takes the first of each table; who chooses gets all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = "scenarios/test_connection_lost.py"
TABLE = "test_close_code_in_mid_call_is_not_the_end_of_it"


def collected(*arguments: str) -> tuple[int, str]:
    """How many cases of the table a run would take, and all it says."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return len(re.findall(rf"{TABLE}\[", done.stdout)), done.stdout


def test_a_run_of_the_folder_takes_the_first_cases_and_tells_of_the_others() -> None:
    number, said = collected("scenarios")
    assert number == 3
    assert re.search(r"\d+ deselected", said)


@pytest.mark.parametrize(
    "choice", [("scenarios", "--thorough"), (FILE,), ("scenarios", "-k", "close_code")]
)
def test_who_chooses_gets_every_case(choice: tuple[str, ...]) -> None:
    number, _ = collected(*choice)
    assert number == 12
