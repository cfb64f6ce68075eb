"""The scenarios know one gateway that can run inside their own process: voicegate."""

from collections import Counter
from importlib.util import find_spec

import pytest

from simulator.target.target import InProcess

# its courses are drawn by hypothesis, which an installation without the developers' tools lacks
collect_ignore = [] if find_spec("hypothesis") else ["test_chaos.py"]

LONG = ("test_soak.py", "test_chaos.py", "test_fault_matrix.py")


@pytest.fixture
def gateway_in_process() -> InProcess:
    """Start voicegate here where the clock is virtual."""
    # not at the top: who only hands the tests out, as xdist's first process does, needs no gateway
    from scenarios.inprocess import VOICEGATE

    return VOICEGATE


def takes_all(config: pytest.Config) -> bool:
    """Whether every case of every table is wanted: all are, or somebody chose."""
    chose = any("::" in place or place.endswith(".py") for place in config.args)
    option = config.option
    return bool(option.thorough or option.keyword or option.markexpr or chose)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what a run of the whole folder leaves out."""
    if takes_all(config):
        return []
    return ["scenarios: the first cases of each table; --thorough, a file or -k takes all of them"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a run of the whole folder within a minute: the rest of each table is left to CI.

    The long ones come first, so that no worker of pytest-xdist is left alone with them at the end.
    """
    items.sort(key=lambda item: item.path.name not in LONG)
    if takes_all(config):
        return
    seen: Counter[object] = Counter()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("thorough")
        test = getattr(item, "function", item)
        seen[test] += 1
        wanted = marker is None or seen[test] <= marker.kwargs.get("but", 0)
        (kept if wanted else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
