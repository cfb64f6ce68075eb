"""Who gets workers of pytest-xdist (`-n auto` in pyproject.toml), and who none."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

NOBODY = {
    "clock": None,
    "gateway": "",
    "gate": "",
    "capture": "fd",
    "collectonly": False,
    "keyword": "",
    "markexpr": "",
}


@dataclass
class Options:
    """What pytest makes of a command line, as far as the hook reads it."""

    args: list[str] = field(default_factory=lambda: ["scenarios"])
    option: object = None


def workers(pytestconfig: pytest.Config, places: list[str], **options: object) -> int:
    """Ask the hook itself."""
    spec = importlib.util.spec_from_file_location("root", pytestconfig.rootpath / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    option = type("Option", (), NOBODY | options)
    number = module.pytest_xdist_auto_num_workers(Options(places, option))
    assert isinstance(number, int)
    return number


def test_a_run_of_whole_folders_takes_all_processors(pytestconfig: pytest.Config) -> None:
    assert workers(pytestconfig, ["tests", "scenarios"]) == os.cpu_count()


@pytest.mark.parametrize(
    "option",
    [
        {"keyword": "goodbye"},
        {"markexpr": "acceptance"},
        {"capture": "no"},
        {"collectonly": True},
        {"clock": "real"},
        {"gateway": "sip:127.0.0.1:5060"},
        {"gate": "sip:user@127.0.0.1"},
    ],
    ids=lambda option: next(iter(option)),
)
def test_who_chose_or_calls_elsewhere_gets_one_test_after_another(
    pytestconfig: pytest.Config, option: dict[str, object]
) -> None:
    assert workers(pytestconfig, ["scenarios"], **option) == 0


@pytest.mark.parametrize("place", ["scenarios/test_goodbye.py", "tests/test_tidy.py::test_x"])
def test_a_file_or_a_test_gets_no_workers(pytestconfig: pytest.Config, place: str) -> None:
    assert workers(pytestconfig, [place]) == 0


def test_pytest_itself_asks_the_hook(pytestconfig: pytest.Config) -> None:
    """Where it does not, each single test would start as many processes as there are processors."""
    script = (
        "import sys, pytest\n"
        "class Ask:\n"
        "    def pytest_collection(self, session):\n"
        "        pytest.exit(f'workers={session.config.option.numprocesses}', 0)\n"
        "pytest.main(sys.argv[1:], plugins=[Ask()])\n"
    )
    command = [sys.executable, "-c", script, "-p", "no:cacheprovider", "scenarios/test_goodbye.py"]
    done = subprocess.run(
        command, cwd=pytestconfig.rootpath, capture_output=True, text=True, check=False
    )
    assert "workers=0" in done.stdout, done.stdout + done.stderr
