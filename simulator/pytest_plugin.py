"""The pytest side of the simulator: options and fixtures, entry point `pytest11`.

Tests that use none of the fixtures pay for nothing: all that is heavy is imported inside.
No TaskGroup and no time-out spans a fixture's yield, since pytest-asyncio sets fixtures up and
tears them down in different tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from simulator.target.options import HELP, MARKERS, OPTIONS

if TYPE_CHECKING:
    from simulator.gate.gate import SimulatedGate
    from simulator.gemini.server import FakeGemini
    from simulator.target.evidence import RunLog, Scene
    from simulator.target.network import Network
    from simulator.target.target import InProcess, Settings, Target
    from simulator.witness.witness import Witness

SCENE: pytest.StashKey[Scene] = pytest.StashKey()
RUN_LOG: pytest.StashKey[RunLog] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the contract."""
    group = parser.getgroup("voicegate", "voice gateway scenarios")
    for name, arguments in OPTIONS:
        group.addoption(name, help=HELP[name], **arguments)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; refuse options that do not go together."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("--gateway") and config.getoption("--gate"):
        raise pytest.UsageError("--gateway and --gate name two targets: give one")
    if bool(config.getoption("--gate")) != bool(config.getoption("--dial")):
        raise pytest.UsageError("--gate and --dial go together: through which gate, which number")
    if _is_elsewhere(config) and config.getoption("--clock") == "virtual":
        raise pytest.UsageError("a gateway that runs elsewhere knows no virtual clock")
    if config.getoption("evidence"):
        from simulator.target.evidence import RunLog

        config.stash[RUN_LOG] = RunLog("scenarios", config.getoption("--seed"), _clock(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach its evidence to a failed test; log every test of a run that writes a report."""
    report = yield
    scene = item.stash.get(SCENE, None)
    if scene is not None and report.failed:
        scene.collect()
        report.sections.append(("what happened in its last call", scene.in_words()))
    log = item.config.stash.get(RUN_LOG, None)
    if log is not None and (report.when == "teardown" or not report.passed):
        from simulator.target.outcome import note

        note(log, item, report, scene)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the evidence of the run."""
    log = session.config.stash.get(RUN_LOG, None)
    if log is not None:
        # each worker of pytest-xdist has a run of its own
        worker = getattr(session.config, "workerinput", {}).get("workerid", "")
        log.write(Path(session.config.getoption("evidence")) / worker, int(exitstatus))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what a failure is replayed with, and what a gateway elsewhere must be started with."""
    lines = [f"voicegate scenarios: --clock {_clock(config)} --seed {config.getoption('--seed')}"]
    if config.getoption("--gemini-listen"):
        from simulator.target.voice import kept_environment

        variables = kept_environment(config.getoption("--gemini-listen"))
        lines += ["start the gateway with:"]
        lines += [f"  {name}={value}" for name, value in variables.items()]
    return lines


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests that use our fixtures on the clock that was asked for, all others as ever."""
    if not _is_ours(item):
        return {"default": asyncio.new_event_loop}
    if _clock(config) == "real":
        return {"real": asyncio.SelectorEventLoop}
    from simulator.clock import LIMIT_S, VirtualLoop

    marker = item.get_closest_marker("virtual_limit")
    limit_s = float(marker.args[0]) if marker else LIMIT_S
    return {"virtual": partial(VirtualLoop, limit_s=limit_s)}


@pytest.fixture
def settings() -> Settings:
    """What a scenario sets on its gateway, {section: {key: value}}; override it."""
    return {}


@pytest.fixture
def gateway_in_process() -> InProcess | None:
    """How to start the gateway inside this process; override it (None: it cannot)."""
    return None


@pytest_asyncio.fixture
async def voice(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeGemini | None]:
    """The fake service behind the gateway; None where its voice is not ours."""
    from simulator.target.voice import fake_for

    listen = pytestconfig.getoption("--gemini-listen")
    if _is_elsewhere(pytestconfig) and not listen:
        yield None
        return
    async with fake_for(listen) as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake
        fake.check()


@pytest.fixture
def gemini(voice: FakeGemini | None) -> FakeGemini:
    """The model: it stands where Google's service does, and judges what it is sent."""
    if voice is None:
        pytest.skip("not testable: the voice is not ours (--gemini-listen HOST:PORT)")
    return voice


@pytest.fixture
def errors(
    pytestconfig: pytest.Config, gateway_in_process: InProcess | None, scene: Scene
) -> Iterator[Witness]:
    """Hears every error channel from before the world is built until it is gone."""
    from simulator.target.evidence import SamplingWitness

    owned = gateway_in_process.owned_types if gateway_in_process else ()
    with SamplingWitness(owned_types=owned) as listening:
        if RUN_LOG in pytestconfig.stash:
            listening.samples = scene.samples
        yield listening
        assert not listening.errors


@pytest_asyncio.fixture
async def gateway(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    errors: Witness,  # noqa: ARG001 - it must listen before the gateway lives
    voice: FakeGemini | None,
    settings: Settings,
    gateway_in_process: InProcess | None,
) -> AsyncIterator[Target]:
    """The gateway under test, wherever it runs."""
    from simulator.target.command import served
    from simulator.target.real_gate import behind_gate
    from simulator.target.remote import at_uri

    async with AsyncExitStack() as owned:
        if _is_elsewhere(pytestconfig):
            if settings:
                pytest.skip(f"not testable: the gateway would have to be started with {settings}")
            uri, resources = (pytestconfig.getoption(name) for name in ("--gate", "--resources"))
            if not uri:
                target = at_uri(pytestconfig.getoption("--gateway"), resources)
            elif request.node.get_closest_marker("direct"):
                pytest.skip("not testable: it speaks SIP to the gateway itself, not through a gate")
            else:
                target = behind_gate(uri, pytestconfig.getoption("--dial"), resources)
        elif gateway_in_process and _clock(pytestconfig) == "virtual":
            target = await owned.enter_async_context(gateway_in_process.start(settings))
        else:
            if _clock(pytestconfig) == "virtual":
                pytest.skip("not testable: no gateway in this process (--clock real)")
            environment = voice.environment if voice else {}
            target = await owned.enter_async_context(served(settings, environment))
        yield target
        assert not target.sins(), target.sins()


@pytest.fixture
def scene(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Scene:
    """What this test leaves as evidence."""
    from simulator.pcap import Tape
    from simulator.target.evidence import PACKETS_TO_KEEP, Scene

    found: Scene = request.node.stash.setdefault(SCENE, Scene())
    if RUN_LOG in pytestconfig.stash:
        found.tape = Tape(PACKETS_TO_KEEP)
    return found


@pytest_asyncio.fixture
async def gate(
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
    gateway: Target,
    voice: FakeGemini | None,
    scene: Scene,
) -> AsyncIterator[SimulatedGate]:
    """The gate: its callers call the gateway, and it judges every byte that comes back."""
    from simulator.gate.gate import LINGER_EXACT_S, LINGER_REAL_S
    from simulator.target.evidence import WatchedGate, chance_of
    from simulator.target.real_gate import signed_in

    scene.target, scene.gemini = gateway.name, voice
    log = pytestconfig.stash.get(RUN_LOG, None)
    seed = chance_of(request.node.nodeid, pytestconfig.getoption("--seed"))
    async with (
        WatchedGate(
            gateway=gateway.address, seed=seed, tape=scene.tape, extension=gateway.extension
        ) as simulated,
        signed_in(simulated),
    ):
        simulated.made = scene.made
        yield simulated
        await asyncio.sleep(LINGER_EXACT_S if simulated.exact else LINGER_REAL_S)
        if log is not None:
            scene.collect()
            if voice is not None:
                log.keep_journal(voice.journal)
        simulated.check()


@pytest_asyncio.fixture
async def witness(
    request: pytest.FixtureRequest,
    errors: Witness,
    gate: SimulatedGate,  # noqa: ARG001 - its sockets belong to the baseline
    gateway: Target,
    scene: Scene,
) -> AsyncIterator[Witness]:
    """The leak gate, with its baseline taken before the first call."""
    from simulator.target.evidence import BlindWitness
    from simulator.target.outside import OutsideWitness
    from simulator.target.remote import calm

    if gateway.unseen:
        if request.node.get_closest_marker("needs_resources"):
            pytest.skip(f"not testable: {gateway.unseen}")
        yield BlindWitness()
        return
    if gateway.take is None:
        await errors.settle()
        errors.baseline()
        yield errors
        return
    await calm(gateway)
    with OutsideWitness(gateway.take) as outside:
        outside.samples = scene.samples
        await outside.settle()
        outside.baseline()
        yield outside


@pytest.fixture
def network(pytestconfig: pytest.Config) -> Network:
    """The network between gate and gateway: its faults, from the run's seed."""
    from simulator.target.network import Network

    return Network(pytestconfig.getoption("--seed"))


def _clock(config: pytest.Config) -> str:
    if _is_elsewhere(config):
        return "real"
    return str(config.getoption("--clock") or "virtual")


def _is_elsewhere(config: pytest.Config) -> bool:
    return bool(config.getoption("--gateway") or config.getoption("--gate"))


def _is_ours(item: pytest.Item) -> bool:
    """Say whether a test uses one of this module's fixtures (and not one of the same name)."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = info.name2fixturedefs.values() if info else ()
    return any(found[-1].func.__module__ == __name__ for found in definitions)
