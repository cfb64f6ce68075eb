"""The run as one page that needs nothing else: no network, no script of others.

Jinja2 comes with the extra `report`; without it `render` says how to get it.
"""

from collections.abc import Sequence
from importlib import resources

from simulator.report.doctor import Diagnosis
from simulator.report.drawing import histogram, time_ticks
from simulator.report.model import Outcome, RunEvidence
from simulator.report.record import summary
from simulator.report.views import call_views, check_views, doctor_count, resource_views

TEMPLATES = "templates"
PAGE = "report.html.j2"
ICONS = {
    Outcome.PASSED: "\N{CHECK MARK}",
    Outcome.FAILED: "\N{MULTIPLICATION X}",
    Outcome.SKIPPED: "\N{EN DASH}",
    Outcome.NOT_TESTABLE: "?",
}


class ReportExtraMissing(RuntimeError):
    """What draws the page is not installed."""

    def __init__(self) -> None:
        super().__init__("report.html was not written: pip install voicegate[report]")


def render(
    run: RunEvidence, diagnosis: Diagnosis | None = None, *, files: Sequence[str] = ()
) -> str:
    """The page. `files` are names beside it that it may link. Raises ReportExtraMissing."""
    try:
        import jinja2
    except ImportError:
        raise ReportExtraMissing from None
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ms"] = in_ms
    environment.filters["figure"] = figure
    environment.filters["hex"] = "{:08x}".format
    responses = [ms for call in run.calls for ms in call.response_ms]
    views = call_views(run, files)
    setups = [call.setup_ms for call in run.calls if call.setup_ms is not None]
    return environment.get_template(PAGE).render(
        run=run,
        verdict=run.verdict,
        failures=run.failures,
        icons=ICONS,
        style=_template("report.css"),
        script=_template("report.js"),
        checks=check_views(run.checks),
        calls=views,
        failed_calls=sum(view.failed for view in views),
        responses=summary(responses),
        setups=summary(setups),
        histogram=histogram(responses, run.response_limit_ms),
        resources=resource_views(run),
        diagnosis=diagnosis,
        doctor_counts={call.number: doctor_count(diagnosis, call) for call in run.calls},
        ticks={call.number: time_ticks(call.gateway.duration_s) for call in run.calls},
        files=[name for name in files if not name.endswith(".wav")],
    )


def _template(name: str) -> str:
    folder = resources.files("simulator.report") / TEMPLATES
    return (folder / name).read_text(encoding="utf-8")


def in_ms(value: float | None) -> str:
    """Milliseconds with as many digits as one reads; a missing figure says so."""
    if value is None:
        return "not measured"
    return f"{value:.0f} ms" if abs(value) >= 100 else f"{value:.1f} ms"


def figure(value: float | None, unit: str = "") -> str:
    """A figure; a missing one says so."""
    return "not measured" if value is None else f"{value:g}{unit}"
