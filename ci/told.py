"""`pytest -p ci.told --told DIR`: what happened when in each scenario, as hashes in JSON files.

The same as `events` in the run.json of `--report`, without the cost of pages, sound and captures.
Each process of pytest-xdist writes a file of its own.
"""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from simulator.pytest_plugin import SCENE

TOLD: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.addoption("--told", type=Path, required=True, help="an existing folder for the hashes")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing."""
    config.stash[TOLD] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Take down what a scenario told, once its gate is gone."""
    yield
    if SCENE in item.stash:
        item.config.stash[TOLD][item.nodeid] = item.stash[SCENE].fingerprint()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it."""
    worker = getattr(session.config, "workerinput", {}).get("workerid", "main")
    file = session.config.getoption("told") / f"{worker}.json"
    file.write_text(json.dumps(session.config.stash[TOLD]), encoding="utf-8")
