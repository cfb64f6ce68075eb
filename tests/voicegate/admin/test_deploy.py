"""The dashboard, the alert rules and the reference name the metrics that exist, and no others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import Metric

from simulator.gate.gate import SimulatedGate
from voicegate.admin.metrics import families
from voicegate.admin.resources import sample
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "deploy/grafana/voicegate.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
REFERENCE = ROOT / "docs/operate.md"

NAME = re.compile(r"\bvoicegate_[a-z_]+")
SELECTOR = re.compile(r"\bvoicegate_[a-z_]+\{([^}]*)\}")
GROUPING = re.compile(r"\bby \(([^)]*)\)")
LABEL = re.compile(r'(\w+)(?:=~|!~|!=|=)"')
FROM_OUTSIDE = {"job", "instance"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
MONITORED = {
    "threads over time": "voicegate_threads",
    "memory per call": "voicegate_memory_bytes",
    "call success": "voicegate_calls_total",
    "audio on calls 10, 20, 50": "voicegate_numbered_call_audio_dbfs",
    "asyncio errors": "voicegate_asyncio_errors_total",
    "UDP errors": "voicegate_udp_errors_total",
    "queue drops": "voicegate_queue_drops_total",
    "stuck calls": "voicegate_calls_stuck_total",
}


@pytest.fixture
async def metrics(gateway: Gateway, gate: SimulatedGate) -> list[Metric]:
    """Every family, each with a sample where one call can give it one."""
    async with gate.dial("1000") as call:
        await call.lasts(1)
    async with gate.dial("1000") as call:
        return list(families(gateway, await sample(gateway, 0)))


def series(metrics: list[Metric]) -> set[str]:
    return {metric.name + suffix for metric in metrics for suffix in SUFFIXES[metric.type]}


def labels(metrics: list[Metric]) -> set[str]:
    return {label for metric in metrics for one in metric.samples for label in one.labels}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> dict[str, list[str]]:
    dashboard = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    text = ALERTS.read_text(encoding="utf-8")
    rules = re.findall(r"expr: (.*?)\n +(?:for|labels):", text, re.DOTALL)
    return {"dashboard": dashboard, "alerts": rules}


def strangers(found: list[str], names: set[str], known: set[str]) -> Iterator[str]:
    """What an expression asks for and nobody has."""
    for text in found:
        yield from (name for name in NAME.findall(text) if name not in names)
        asked = [label for selector in SELECTOR.findall(text) for label in LABEL.findall(selector)]
        asked += [one.strip() for row in GROUPING.findall(text) for one in row.split(",")]
        yield from (label for label in asked if label not in known | FROM_OUTSIDE | {"le"})


@pytest.mark.parametrize("where", ["dashboard", "alerts"])
async def test_only_what_exists_is_asked_for(where: str, metrics: list[Metric]) -> None:
    found = expressions()[where]
    assert len(found) > 10
    assert sorted(strangers(found, series(metrics), labels(metrics))) == []


async def test_what_does_not_exist_is_seen(metrics: list[Metric]) -> None:
    asked = ['sum by (call_id) (voicegate_calls{who="x"})']
    found = list(strangers(asked, series(metrics), labels(metrics)))
    assert found == ["voicegate_calls", "who", "call_id"]


@pytest.mark.parametrize("what", MONITORED)
def test_what_must_be_watched_is_on_the_dashboard(what: str) -> None:
    assert any(MONITORED[what] in text for text in expressions()["dashboard"])


async def test_every_metric_is_on_the_dashboard(metrics: list[Metric]) -> None:
    shown = " ".join(expressions()["dashboard"])
    unseen = {"voicegate_build_info"}  # the dashboard's variables and annotations have it
    assert [m.name for m in metrics if m.name not in shown and m.name not in unseen] == []


def test_the_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (at["x"] + column, at["y"] + line)
            for column in range(at["w"])
            for line in range(at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_every_alert_says_how_to_mend_it() -> None:
    text = ALERTS.read_text(encoding="utf-8")
    rules = text.count("- alert: ")
    assert rules == text.count("mend: ") == text.count("severity: ") == text.count("summary: ")


async def test_the_reference_has_every_metric_as_it_is(metrics: list[Metric]) -> None:
    """A row of the table: name, kind, labels, meaning."""
    rows = re.findall(
        r"^\| `(voicegate_\w+)` \| (\w+) \| (.*?) \| (.+) \|$",
        REFERENCE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    written = {name: (kind, names, text) for name, kind, names, text in rows}
    due = {}
    for metric in metrics:
        ending = "_total" if metric.type == "counter" else ""
        names = {label for one in metric.samples for label in one.labels} - {"le"}
        told = ", ".join(f"`{label}`" for label in sorted(names))
        due[metric.name + ending] = (metric.type, told, metric.documentation)
    assert written == due
