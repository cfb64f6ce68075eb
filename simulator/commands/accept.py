"""`gatesim accept`: the checklist, against a running gateway or through a real gate."""

import asyncio
import contextlib
import importlib.util
import io
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from simulator.commands.terminal import (
    EXIT_FAILED,
    EXIT_NOT_CONNECTED,
    EXIT_PASSED,
    Screen,
    refuse,
)
from simulator.gate.caller import NoAnswer
from simulator.gate.gate import SimulatedGate
from simulator.report.model import Outcome
from simulator.target.outcome import outcome, reason, title
from simulator.target.real_gate import NotLetIn, behind_gate, signed_in
from simulator.target.remote import BadTarget, parse_uri
from simulator.target.target import Target
from simulator.target.voice import kept_environment

PROBE_S = 2.0
WORDS = {
    Outcome.PASSED: ("pass", "green"),
    Outcome.FAILED: ("FAIL", "red"),
    Outcome.SKIPPED: ("skipped", "yellow"),
    Outcome.NOT_TESTABLE: ("not testable", "yellow"),
}
INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
asyncio_default_test_loop_scope = function
addopts = --import-mode=importlib
"""


def accept(
    gateway: Annotated[str, typer.Option(help="A running gateway: sip:HOST:PORT.")] = "",
    gate: Annotated[str, typer.Option(help="A real gate to call through: sip:USER@HOST.")] = "",
    dial: Annotated[str, typer.Option(help="The number that the gate sends on.")] = "",
    gemini_listen: Annotated[
        str, typer.Option(help="Run the fake service at HOST:PORT; the gateway must speak to it.")
    ] = "",
    resources: Annotated[
        str, typer.Option(help="Where the gateway says what it holds: http://HOST:8080/resources.")
    ] = "",
    report: Annotated[Path, typer.Option(help="Folder for the evidence.")] = Path("acceptance"),
    seed: Annotated[int, typer.Option(help="What all chance comes from.")] = 0,
    wait_s: Annotated[float, typer.Option(help="How long to wait for the gateway.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Run the acceptance list: one line a row, with pass, fail or not testable and why."""
    screen = Screen(as_json=as_json)
    if bool(gateway) == bool(gate) or bool(gate) != bool(dial):
        refuse("name the target: --gateway sip:HOST:PORT, or --gate sip:USER@HOST --dial NUMBER")
    try:
        target = behind_gate(gate, dial) if gate else _at(gateway)
        variables = kept_environment(gemini_listen) if gemini_listen else {}
    except BadTarget as error:
        refuse(str(error))
    for name, value in variables.items():
        screen.line(f"the gateway must run with {name}={value}")
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        unreached = runner.run(_unreached(target, wait_s))
    if unreached:
        screen.line(unreached)
        raise typer.Exit(EXIT_NOT_CONNECTED)
    options = {
        "--gateway": gateway,
        "--gate": gate,
        "--dial": dial,
        "--gemini-listen": gemini_listen,
        "--resources": resources,
        "--report": str(report.absolute()),
        "--seed": str(seed),
    }
    rows = Rows(screen)
    # where the voice is ours, the rows that any voice can pass show nothing more
    wanted = "acceptance and not any_voice" if gemini_listen else "acceptance"
    code = _run(wanted, [f"{name}={value}" for name, value in options.items() if value], rows)
    passed = code == pytest.ExitCode.OK and rows.count(Outcome.PASSED) > 0
    screen.line(rows.summary())
    screen.line(f"the evidence: {report / 'report.html'}")
    if as_json:
        screen.json({"passed": passed, "rows": rows.rows, "report": str(report / "report.html")})
    raise typer.Exit(EXIT_PASSED if passed else EXIT_FAILED)


class Rows:
    """Prints a line for each test of the checklist when it is over; a plugin of pytest."""

    def __init__(self, screen: Screen) -> None:
        self.rows: list[dict[str, Any]] = []
        self._screen = screen
        self._results: dict[str, tuple[Outcome, str]] = {}
        self._seconds: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run the rows in the order of the list."""
        items.sort(key=title)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        """Keep the worst that was said of the test; at its end say it."""
        report = yield
        row = title(item)
        self._seconds[row] = self._seconds.get(row, 0.0) + report.duration
        before = self._results.get(row)
        if before is None or before[0] is Outcome.PASSED:
            self._results[row] = (outcome(report), reason(report))
        if report.when == "teardown":
            self._say(row)
        return report

    def count(self, wanted: Outcome) -> int:
        """Count the rows with that outcome."""
        return sum(row["outcome"] == wanted.value for row in self.rows)

    def summary(self) -> str:
        """Say how many rows passed, failed and could not be tested."""
        parts = [f"{self.count(one)} {one.value}" for one in Outcome if self.count(one)]
        return ", ".join(parts) or "no row was run"

    def _say(self, row: str) -> None:
        found, why = self._results[row]
        word, colour = WORDS[found]
        self._screen.line(f"{word:13} {row}{': ' + why if why else ''}", style=colour)
        self.rows.append(
            {
                "row": row,
                "outcome": found.value,
                "message": why,
                "seconds": round(self._seconds[row], 1),
            }
        )


def _run(wanted: str, options: list[str], rows: Rows) -> int:
    """Run the scenarios that travel with us, marked as rows of the list."""
    spec = importlib.util.find_spec("scenarios")
    if spec is None or not spec.submodule_search_locations:
        refuse("the scenarios are not installed: install the voicegate package")
    folder = next(iter(spec.submodule_search_locations))
    with tempfile.TemporaryDirectory(prefix="accept-") as place:
        ini = Path(place) / "pytest.ini"
        ini.write_text(INI, encoding="utf-8")
        arguments = [folder, "-m", wanted, "-p", "no:cacheprovider", "-p", "no:xdist"]
        arguments += ["-c", str(ini), "--rootdir", str(folder), *options]
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = int(pytest.main(arguments, plugins=[rows]))
    if not rows.rows:
        refuse(f"no row could be run:{os.linesep}{output.getvalue()}")
    return code


def _at(uri: str) -> Target:
    _, host, port = parse_uri(uri)
    return Target(name=uri, address=(host, port))


async def _unreached(target: Target, within_s: float) -> str:
    """Wait until somebody answers OPTIONS there, and lets us in; say why not, "" if so."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    host, port = target.address
    async with SimulatedGate(gateway=target.address, extension=target.extension) as gate:
        while True:
            try:
                await gate.options(within_s=PROBE_S)
            except NoAnswer:
                if loop.time() >= deadline:
                    what = "gate" if target.extension is not None else "gateway"
                    return f"no answer to OPTIONS from {host}:{port}: is the {what} running there?"
            else:
                break
        try:
            async with signed_in(gate):
                return ""
        except NotLetIn as error:
            return str(error)
