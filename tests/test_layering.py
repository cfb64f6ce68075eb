"""The picture of the house, checked: who may import whom (docs/architecture.md)."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("voicegate", "simulator")

# Law 4, and its one exception: the demo is a composition root, and only the command line starts it.
DEMO, CLI = "voicegate.demo", "voicegate.cli"
COMPOSITION_ROOTS = (DEMO,)

# Law 2: the cores take bytes and `now`. The shells around them may know sockets and the loop.
PURE_PACKAGES = ("voicegate.sip", "voicegate.media", "voicegate.record", "simulator.audio")
SHELLS = {
    "voicegate.sip.user_agent": "the asyncio shell of the endpoint",
    "voicegate.sip.leg": "what the shell hands to a call, with an awaitable end",
    "voicegate.sip.incoming": "such a call that the peer began",
    "voicegate.sip.outgoing": "such a call that we begin",
    "voicegate.sip.udp": "a datagram socket of the shell",
    "voicegate.sip.stream": "the connections of the shell",
    "voicegate.sip.sockets": "all sockets of the shell",
    "voicegate.sip.opening": "the shell and its core, opened by block",
    "voicegate.media.session": "the shell of a call's media",
    "voicegate.media.following": "its part that follows offers, and notes when",
    "voicegate.media.opening": "opens that shell",
    "voicegate.media.control": "the timer and the socket of its RTCP",
    "voicegate.media.clock": "the shared ticker on loop.call_at",
    "voicegate.media.lent": "a lent port and its socket",
    "voicegate.media.uplink": "the queue a call awaits",
    "voicegate.record.records": "the shell of all records",
    "voicegate.record.writer": "the queue in front of the executor",
    "voicegate.record.webhook": "HTTP on the loop",
}
PURE_MODULES = (
    "voicegate.endings",
    "voicegate.farewell",
    "voicegate.floor",
    "voicegate.goodbye",
    "voicegate.hearing",
    "voicegate.plan",
    "voicegate.report",
    "voicegate.routes",
    "voicegate.story",
    "voicegate.watchdogs",
    "simulator.pcap",
)
IMPURE = ("asyncio", "socket", "time", "threading", "select", "selectors", "ssl", "subprocess")
# What a pure module may still take from an impure one.
PURE_PARTS = {"simulator.pcap": ("socket",)}  # inet_aton only

# What a UDP socket needs, whatever it carries.
SOCKETS_OF_BOTH = ("voicegate.aio", "voicegate.ear", "voicegate.hearing", "voicegate.windows")
# sip, media and voice know nothing of each other, nor of what is above them.
OWN_ROOMS = {
    "voicegate.sip": ("voicegate.sip", *SOCKETS_OF_BOTH),
    "voicegate.media": ("voicegate.media", *SOCKETS_OF_BOTH),
    "voicegate.voice": ("voicegate.voice", "voicegate.settings", "voicegate.logs"),
}

# DESIGN section 3: an arrow goes down this list, never up and never sideways between two entries.
DOWN = (
    "voicegate.__main__",
    "voicegate.cli",
    "voicegate.demo",
    "voicegate.gateway",
    "voicegate.call",
    "voicegate.exchange",
    "voicegate.bridge",
    "voicegate.talk",
    "voicegate.media.session",
)
DOWN_IN_SIP = (
    ("voicegate.sip.user_agent",),
    ("voicegate.sip.endpoint",),
    ("voicegate.sip.transaction", "voicegate.sip.dialog"),
    ("voicegate.sip.message", "voicegate.sip.headers", "voicegate.sip.digest"),
)
# In the last row, the one arrow that remains.
BESIDE = {("voicegate.sip.message", "voicegate.sip.headers")}


@dataclass(frozen=True)
class Import:
    """One import statement's target."""

    target: str
    """The module, or what is taken from it, as a dotted name."""

    line: int
    """Where it stands."""

    lazy: bool
    """Within a function: happens when that runs."""

    typing_only: bool
    """Under TYPE_CHECKING: never happens."""


def imports(text: str, module: str, is_package: bool = False) -> list[Import]:
    """All imports of a module's text, relative ones made absolute."""
    found: list[Import] = []
    package = module if is_package else module.rpartition(".")[0]

    def targets(node: ast.Import | ast.ImportFrom) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        front = node.module or ""
        if node.level:
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1])
            front = f"{base}.{front}" if front else base
        return [f"{front}.{alias.name}" for alias in node.names]

    def visit(node: ast.AST, lazy: bool, typing_only: bool) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.extend(Import(t, node.lineno, lazy, typing_only) for t in targets(node))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for unreached in node.body:
                visit(unreached, lazy, True)
            for reached in node.orelse:
                visit(reached, lazy, typing_only)
        else:
            inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                visit(child, inside, typing_only)

    visit(ast.parse(text), False, False)
    return found


Graph = Mapping[str, list[Import]]
Rule = Callable[[Graph], Iterator[str]]


def read_graph() -> dict[str, list[Import]]:
    graph = {}
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if package else parts)
            graph[module] = imports(file.read_text(encoding="utf-8"), module, package)
    return graph


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read_graph()


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def module_of(target: str, graph: Graph) -> str:
    """The module that a target is in, or the empty string for one that is not ours."""
    while target and target not in graph:
        target = target.rpartition(".")[0]
    return target


def strangers(graph: Graph) -> Iterator[str]:
    """The judge shares nothing with the judged."""
    for module, found in graph.items():
        room = module.partition(".")[0]
        other = ROOMS[1 - ROOMS.index(room)]
        for one in found:
            if within(one.target, other) and module not in COMPOSITION_ROOTS:
                yield f"{module}:{one.line} imports {one.target}"


def early_demo(graph: Graph) -> Iterator[str]:
    """Only the command line knows the demo, and only when it is asked for: it loads the judge."""
    for module, found in graph.items():
        for one in found:
            allowed = module == CLI and one.lazy
            if within(one.target, DEMO) and module != DEMO and not allowed:
                yield f"{module}:{one.line} imports {one.target}"


def neighbours(graph: Graph) -> Iterator[str]:
    """sip, media and voice never import each other, nor what is above them."""
    for module, found in graph.items():
        for room, allowed in OWN_ROOMS.items():
            for one in found:
                ours = within(one.target, "voicegate")
                if within(module, room) and ours and not within(one.target, *allowed):
                    yield f"{module}:{one.line} imports {one.target}"


def impure_cores(graph: Graph) -> Iterator[str]:
    """Protocol cores know no sockets and no clock."""
    for module, found in graph.items():
        core = within(module, *PURE_PACKAGES) and module not in SHELLS
        if not (core or module in PURE_MODULES):
            continue
        for one in found:
            parts = PURE_PARTS.get(module, ())
            if within(one.target, *IMPURE) and not within(one.target, *parts):
                yield f"{module}:{one.line} imports {one.target}"
            shell = module_of(one.target, graph)
            if shell in SHELLS and not one.typing_only:
                yield f"{module}:{one.line} imports the shell {shell}"


def upward(graph: Graph) -> Iterator[str]:
    """Arrows go down: cli, gateway, call, bridge, sessions; user agent, endpoint, and so on."""
    ranks = {module: rank for rank, module in enumerate(DOWN)}
    sip = {module: rank for rank, row in enumerate(DOWN_IN_SIP) for module in row}
    for module, found in graph.items():
        for one in found:
            target = module_of(one.target, graph)
            if target == module or (module, target) in BESIDE or one.typing_only:
                continue
            for order in (ranks, sip):
                if module in order and target in order and order[target] <= order[module]:
                    yield f"{module}:{one.line} imports {target}"


def circles(graph: Graph) -> Iterator[str]:
    """Every circle of imports that really happen, by its shortest way round."""
    arrows = {
        module: sorted(
            {
                target
                for one in found
                if not one.typing_only
                and (target := module_of(one.target, graph))
                and target != module
            }
        )
        for module, found in graph.items()
    }
    seen = set()
    for start in sorted(arrows):
        way = shortest_way(arrows, start)
        if way and frozenset(way) not in seen:
            seen.add(frozenset(way))
            yield " -> ".join(way)


def shortest_way(arrows: Mapping[str, list[str]], start: str) -> list[str]:
    """From a module back to itself, or nothing."""
    ways = [[start]]
    reached = {start}
    for way in ways:  # grows while it is read: breadth first
        for target in arrows.get(way[-1], []):
            if target == start:
                return [*way, start]
            if target not in reached:
                reached.add(target)
                ways.append([*way, target])
    return []


RULES: tuple[Rule, ...] = (strangers, early_demo, neighbours, impure_cores, upward, circles)

# rule, module, its text, and what else is there
SINS = [
    (strangers, "simulator.gate.rtp", "from voicegate.media.rtp import RtpPacket"),
    (strangers, "simulator.gate.rtp", "def f():\n    import voicegate.media.rtp"),
    (strangers, "voicegate.media.codec", "from simulator.audio import g711"),
    (strangers, "voicegate.cli", "from simulator.gate.gate import SimulatedGate"),
    (early_demo, "voicegate.cli", "from voicegate.demo import run_demo"),
    (early_demo, "voicegate.gateway", "def f():\n    from voicegate.demo import run_demo"),
    (neighbours, "voicegate.sip.dialog", "from voicegate.media.sdp import parse_offer"),
    (neighbours, "voicegate.media.session", "from ..sip.message import Address"),
    (neighbours, "voicegate.voice.echo", "from voicegate.media.codec import CODECS"),
    (neighbours, "voicegate.media.rtp", "import voicegate.config"),
    (impure_cores, "voicegate.sip.transaction", "import asyncio"),
    (impure_cores, "voicegate.media.jitter", "from time import monotonic"),
    (impure_cores, "voicegate.sip.message", "import socket"),
    (impure_cores, "voicegate.endings", "import asyncio.timeouts"),
    (impure_cores, "voicegate.sip.endpoint", "from voicegate.sip.udp import bind"),
    (upward, "voicegate.bridge", "from voicegate.call import Call"),
    (upward, "voicegate.call", "from voicegate.gateway import Gateway"),
    (upward, "voicegate.sip.transaction", "from voicegate.sip.dialog import Dialog"),
    (upward, "voicegate.sip.message", "from voicegate.sip.transaction import Timer"),
    (circles, "voicegate.endings", "from voicegate.report import CallReport"),
]
VIRTUES = [
    (strangers, "voicegate.demo", "from simulator.gate.gate import SimulatedGate"),
    (early_demo, "voicegate.cli", "def f():\n    from voicegate.demo import run_demo"),
    (neighbours, "voicegate.call", "from voicegate.sip.user_agent import IncomingCall"),
    (impure_cores, "voicegate.sip.user_agent", "import asyncio"),
    (impure_cores, "voicegate.sip.events", "import random"),
    (upward, "voicegate.call", "from voicegate.bridge import uplink"),
    (upward, "voicegate.sip.message", "from voicegate.sip.headers import Via"),
    (circles, "voicegate.endings", "if TYPE_CHECKING:\n    import voicegate.report"),
]

# Enough of the house for the snippets to have somewhere to point.
SMALL_HOUSE = {
    "voicegate.report": "from voicegate.endings import HangupReason",
    "voicegate.call": "",
    "voicegate.gateway": "",
    "voicegate.bridge": "",
    "voicegate.sip.udp": "",
    "voicegate.sip.headers": "",
    "voicegate.sip.dialog": "",
    "voicegate.sip.transaction": "",
}


def house_with(module: str, text: str) -> Graph:
    return {name: imports(body, name) for name, body in (SMALL_HOUSE | {module: text}).items()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Rule, graph: Graph) -> None:
    found = list(rule(graph))

    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize(("rule", "module", "text"), SINS)
def test_the_rule_sees_the_sin(rule: Rule, module: str, text: str) -> None:
    assert list(rule(house_with(module, text)))


@pytest.mark.parametrize(("rule", "module", "text"), VIRTUES)
def test_the_rule_lets_honest_code_pass(rule: Rule, module: str, text: str) -> None:
    assert not list(rule(house_with(module, text)))


def test_the_lists_name_what_exists(graph: Graph) -> None:
    named = {*SHELLS, *PURE_MODULES, *DOWN, *(m for row in DOWN_IN_SIP for m in row), CLI, DEMO}

    assert sorted(named - set(graph)) == []


def test_relative_imports_are_understood() -> None:
    found = imports("from . import a\nfrom .b import c\nfrom ..d import e", "simulator.gate.wire")

    targets = [one.target for one in found]
    assert targets == ["simulator.gate.a", "simulator.gate.b.c", "simulator.d.e"]
    [up] = imports("from .pcm import Pcm", "simulator.audio", is_package=True)
    assert up.target == "simulator.audio.pcm.Pcm"


def test_the_gateway_runs_without_the_simulator() -> None:
    """What is not imported cannot be shared: `serve` never loads the judge."""
    code = (
        "import sys, voicegate, voicegate.cli;"
        "print([name for name in sys.modules if name.split('.')[0] == 'simulator'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
