"""Style is a test: the rules that reviewers tire of, each proven by a snippet that breaks it."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("voicegate", "simulator")
EVERYWHERE = (*ROOMS, "scenarios", "tests", "ci")

ROOM_LINES, OTHER_LINES = 300, 500
FUNCTION_LINES = 60
COLUMNS = 100
BANNED_WORDS = ("manager", "handler", "helper", "util", "managers", "handlers", "helpers", "utils")
BANNED_CLASSES = ("Session", "Client")
CLOCKS = ("sleep", "time", "monotonic", "perf_counter", "time_ns", "monotonic_ns")
LOG_CALLS = ("debug", "info", "warning", "error", "exception", "critical")
CLI_MODULES = ("voicegate/cli.py", "simulator/cli.py")

# One each, by law 7: the call boundary, the edge of the program, and the user's own modules.
BROAD_EXCEPTS = {"voicegate/gateway.py": 1, "voicegate/cli.py": 1, "voicegate/user_code.py": 1}

# A task has a parent. `group.create_task` of a TaskGroup has one by its block; these await by hand.
TASK_OWNERS = {
    "voicegate/aio.py": "first_of() and beside() are over only when all their tasks are",
    "voicegate/demo.py": "the composition root awaits the gateway it serves",
    "voicegate/tools/running.py": "a tool's task ends with its call: ToolRuns.end()",
    "voicegate/sip/stream.py": "the listener that connects cancels and awaits it at its close",
    "voicegate/voice/conversation.py": "one task a conversation, which outlives connections",
}
# Modules that may start a thread.
THREAD_OWNERS = {"voicegate/blocking.py": "the one named executor (law 3)"}

# Dataclasses that change, and why a value would not do.
MUTABLE_DATACLASSES = {
    "voicegate/call.py:Progress": "fills up while the call goes on",
    "voicegate/media/counters.py:JitterCounters": "counters",
    "voicegate/sip/core.py:UaCore": "the surroundings that the usages of a dialog share",
    "simulator/target/evidence.py:Scene": "filled by the fixtures of one test",
    "simulator/gate/rtp.py:RtpSender": "the numbering of one stream",
    "simulator/gate/judge_request.py:DialogFacts": "what is known of a dialog grows",
    "simulator/gate/judge.py:Findings": "a list that judges write into",
    "simulator/gate/rtp_judge.py:RtpStats": "counters",
    "simulator/gate/judge_response.py:TransactionJudge": "remembers the responses so far",
    "simulator/gemini/resumption.py:Conversation": "a conversation gains connections",
    "simulator/gemini/entrance.py:Obstacle": "counts down",
    "simulator/gemini/script.py:Script": "a test writes it line by line",
}


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: str
    """From the root of the repository, with forward slashes."""

    text: str
    """All of it."""

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return parse(self.text)

    @property
    def in_rooms(self) -> bool:
        """Part of one of the two packages."""
        return self.path.startswith(tuple(f"{room}/" for room in ROOMS))


@cache
def parse(text: str) -> ast.Module:
    return ast.parse(text)


Rule = Callable[[Source], Iterator[str]]


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such a chain of names, or the empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (front := dotted(node.value)):
        return f"{front}.{node.attr}"
    return ""


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call and the dotted name of what is called; the last part where there is no chain."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            yield node, name or (node.func.attr if isinstance(node.func, ast.Attribute) else "")


def definitions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def file_length(source: Source) -> Iterator[str]:
    """A file says one thing: 300 lines in the packages, 500 elsewhere."""
    lines, limit = len(source.text.splitlines()), ROOM_LINES if source.in_rooms else OTHER_LINES
    if lines > limit:
        yield f"{lines} lines, the limit is {limit}"


def function_length(source: Source) -> Iterator[str]:
    """A function is read at a glance."""
    for node in definitions(source):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{node.lineno}: {node.name}() has {lines} lines, the limit is {FUNCTION_LINES}"


def line_width(source: Source) -> Iterator[str]:
    """Two files side by side."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if len(line) > COLUMNS:
            yield f"{number}: {len(line)} columns, the limit is {COLUMNS}"


def no_print(source: Source) -> Iterator[str]:
    """Only a command line prints; the rest logs."""
    if source.path not in CLI_MODULES:
        yield from (f"{call.lineno}: print()" for call, name in calls(source) if name == "print")


def text_names_its_encoding(source: Source) -> Iterator[str]:
    """Windows takes cp1252 for a text file unless told otherwise."""
    for call, name in calls(source):
        way = name.rpartition(".")[2]
        texts = [str(one.value) for one in call.args if isinstance(one, ast.Constant)]
        built_in = isinstance(call.func, ast.Name) and name == "open"
        modes = texts[1:] if built_in else texts
        mode = next((one for one in modes if re.fullmatch("[rwax][+bt]*", one)), "")
        opens = built_in or (way == "open" and mode)
        told = any(word.arg == "encoding" for word in call.keywords) or "utf-8" in texts
        if not told and ((opens and "b" not in mode) or way in ("read_text", "write_text")):
            yield f"{call.lineno}: {name}() without encoding="


def names_its_loop(source: Source) -> Iterator[str]:
    """The loop that Windows takes unless told otherwise goes deaf on UDP after one error."""
    for call, name in calls(source):
        told = any(word.arg == "loop_factory" for word in call.keywords)
        if name in ("asyncio.run", "asyncio.Runner") and not told:
            yield f"{call.lineno}: {name}() without loop_factory="


def no_wall_clock(source: Source) -> Iterator[str]:
    """Law 3: only loop.time() decides what happens, or virtual time means nothing."""
    for call, name in calls(source):
        if name in {f"time.{clock}" for clock in CLOCKS}:
            yield f"{call.lineno}: {name}()"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"{node.lineno}: {a.name}" for a in node.names if a.name in CLOCKS)


def is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(
        one is None or dotted(one).removeprefix("builtins.") in ("Exception", "BaseException")
        for one in kinds
    )


def no_broad_except(source: Source) -> Iterator[str]:
    """Law 7: one at the call boundary, one at the edge of the program."""
    lines = [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and is_broad(node.type)
    ]
    lines += [
        call.lineno
        for call, name in calls(source)
        if name.endswith("suppress") and any(is_broad(one) for one in call.args)
    ]
    allowed = BROAD_EXCEPTS.get(source.path, 0)
    if len(lines) > allowed:
        yield f"lines {lines}: {len(lines)} broad excepts, {allowed} allowed"


def no_orphan_task(source: Source) -> Iterator[str]:
    """A task always has a parent that awaits it."""
    for call, name in calls(source):
        front, _, last = name.rpartition(".")
        orphan = last in ("create_task", "ensure_future", "run_coroutine_threadsafe")
        if orphan and "group" not in front.lower() and source.path not in TASK_OWNERS:
            yield f"{call.lineno}: {name}() outside of {sorted(TASK_OWNERS)}"
        thread = name in ("threading.Thread", "threading.Timer") or last == "ThreadPoolExecutor"
        if thread and source.path not in THREAD_OWNERS:
            yield f"{call.lineno}: {name}() outside of {sorted(THREAD_OWNERS)}"


def is_code(comment: str) -> bool:
    """True for a comment that is a statement of some weight rather than words."""
    text = comment.lstrip("#").strip()
    for attempt in (text, f"{text} pass", f"{text}\n    pass"):
        try:
            body = parse(attempt).body
        except (SyntaxError, ValueError):
            continue
        return any(carries_weight(node) for node in body)
    return False


def carries_weight(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    bare = ast.AnnAssign | ast.Pass | ast.Break | ast.Continue
    return not isinstance(node, bare)


def no_dead_code(source: Source) -> Iterator[str]:
    """The version control remembers; a comment says why."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and is_code(token.string):
            yield f"{token.start[0]}: {token.string}"


def defined_names(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def words(name: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def no_empty_names(source: Source) -> Iterator[str]:
    """Names that say nothing hide things that have no place."""
    for line, name in [*defined_names(source), (1, Path(source.path).stem)]:
        if any(word in BANNED_WORDS for word in words(name)):
            yield f"{line}: {name}"
        elif name in BANNED_CLASSES:
            yield f"{line}: {name} alone (whose?)"


def dataclass_decorator(node: ast.ClassDef) -> ast.expr | None:
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if dotted(call) in ("dataclass", "dataclasses.dataclass"):
            return decorator
    return None


def frozen_dataclasses(source: Source) -> Iterator[str]:
    """A value does not change; what does is listed with the reason."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef) or (found := dataclass_decorator(node)) is None:
            continue
        keywords = found.keywords if isinstance(found, ast.Call) else []
        frozen = any(
            each.arg == "frozen" and isinstance(each.value, ast.Constant) and each.value.value
            for each in keywords
        )
        if not frozen and f"{source.path}:{node.name}" not in MUTABLE_DATACLASSES:
            yield f"{node.lineno}: {node.name} is not frozen"


def is_set(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return dotted(node.func) in ("set", "frozenset")
    return isinstance(node, ast.Set | ast.SetComp) or dotted(node) in names


def annotated_sets(source: Source) -> set[str]:
    """Names and attributes that the file itself declares to be sets."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
            target = node.target if isinstance(node, ast.AnnAssign) else ast.Name(node.arg)
            if re.match(r"(frozen)?set\b", ast.unparse(node.annotation)):
                found.add(dotted(target))
    return found


def no_set_order(source: Source) -> Iterator[str]:
    """Law 3: the order of a set must not reach a packet or a report; sort it first."""
    names = annotated_sets(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter, names):
            yield f"{node.iter.lineno}: iterates a set: {ast.unparse(node.iter)}"
    for call, name in calls(source):
        takes_order = name in ("list", "tuple", "next", "iter") or name.endswith("join")
        if takes_order and call.args and is_set(call.args[0], names):
            yield f"{call.lineno}: takes the order of a set: {ast.unparse(call)}"


def ascii_logs(source: Source) -> Iterator[str]:
    """A Windows console in cp1252 loses the line, or the program."""
    for call, name in calls(source):
        front, _, last = name.rpartition(".")
        if last in LOG_CALLS and "log" in front.lower():
            texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
            for text in texts:
                if isinstance(text, str) and not text.isascii():
                    yield f"{call.lineno}: {text!r}"


def has_its_test(source: Source) -> Iterator[str]:
    """Each module is tested by a file of its own name in the mirrored place."""
    path = Path(source.path)
    if path.name in ("__init__.py", "__main__.py"):
        return
    test = Path("tests") / path.parent / f"test_{path.name}"
    if not (ROOT / test).exists():
        yield f"there is no {test.as_posix()}"


RULES: dict[Rule, tuple[tuple[str, ...], str, str]] = {
    # rule: where it holds, a snippet that breaks it, one that does not
    file_length: (EVERYWHERE, "x = 1\n" * 301, "x = 1\n" * 300),
    function_length: (
        EVERYWHERE,
        "def f():\n" + "    x = 1\n" * 60,
        "def f():\n" + "    x = 1\n" * 59,
    ),
    line_width: (EVERYWHERE, f'x = "{"y" * 95}"', f'x = "{"y" * 94}"'),
    no_print: (ROOMS, "def f(): print('x')", "def f(): console.print('x')"),
    no_wall_clock: (ROOMS, "import time\ntime.sleep(1)", "import time\ntime.process_time()"),
    text_names_its_encoding: (
        ROOMS,
        "open('a')",
        "open('a', 'rb'), open('a', encoding='utf-8'), door.open(), path.read_bytes()",
    ),
    names_its_loop: (ROOMS, "asyncio.run(f())", "asyncio.Runner(loop_factory=new_event_loop)"),
    no_broad_except: (
        ROOMS,
        "try: f()\nexcept (OSError, Exception): pass",
        "try: f()\nexcept OSError: pass",
    ),
    no_orphan_task: (ROOMS, "asyncio.create_task(f())", "self._group.create_task(f())"),
    no_dead_code: (EVERYWHERE, "# x = f(1)", "# x is what f gives: see RFC 3261 13.3.1.4"),
    no_empty_names: (ROOMS, "class CallManager: pass", "class CallOwner: pass"),
    frozen_dataclasses: (
        ROOMS,
        "@dataclass(slots=True)\nclass A: pass",
        "@dataclass(frozen=True)\nclass A: pass",
    ),
    no_set_order: (ROOMS, "for x in {1, 2}: f(x)", "for x in sorted({1, 2}): f(x)"),
    ascii_logs: (ROOMS, "log.info('\u2713 done')", "log.info('done')"),
    has_its_test: (ROOMS, "x = 1", ""),
}

MORE_SINS = [
    (text_names_its_encoding, "path.read_text()"),
    (text_names_its_encoding, "path.write_text('x')"),
    (text_names_its_encoding, "path.open('w')"),
    (text_names_its_encoding, "open('a', 'r+')"),
    (names_its_loop, "with asyncio.Runner() as runner: pass"),
    (no_wall_clock, "from time import monotonic"),
    (no_broad_except, "try: f()\nexcept: pass"),
    (no_broad_except, "with contextlib.suppress(Exception): f()"),
    (no_orphan_task, "loop.create_task(f())"),
    (no_orphan_task, "threading.Thread(target=f).start()"),
    (no_dead_code, "# return f(x)"),
    (no_dead_code, "# if x:"),
    (no_dead_code, "# await f()"),
    (no_empty_names, "def url_helper(): pass"),
    (no_empty_names, "import x.y as utils"),
    (no_empty_names, "class Session: pass"),
    (frozen_dataclasses, "@dataclasses.dataclass\nclass A: pass"),
    (no_set_order, "xs: set[int] = f()\nys = [x for x in xs]"),
    (no_set_order, "class A:\n  def f(self):\n    self.xs: set[int] = g()\n    list(self.xs)"),
    (no_set_order, "', '.join({a, b})"),
    (ascii_logs, "log.warning(f'caller {x} \u2192 model')"),
]
MORE_VIRTUES = [
    (no_dead_code, "# type: ignore[arg-type]"),
    (no_dead_code, "# noqa: ARG002 - 3.12 and later pass one"),
    (no_dead_code, "# see below"),
    (no_empty_names, "loop.set_exception_handler(f)"),
    (no_empty_names, "def handle_timer(now): pass"),
    (no_set_order, "if x in {1, 2}: f(x)"),
    (ascii_logs, "show('\u2713 done')"),
]


@pytest.fixture(scope="module", autouse=True)
def _trees_go() -> Iterator[None]:
    """A million nodes kept alive would slow down whatever else looks at the heap."""
    yield
    parse.cache_clear()


def sources(places: tuple[str, ...]) -> list[Source]:
    files = [file for place in places for file in sorted((ROOT / place).rglob("*.py"))]
    return [Source(f.relative_to(ROOT).as_posix(), f.read_text(encoding="utf-8")) for f in files]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    places, _, _ = RULES[rule]
    found = [f"{source.path}:{text}" for source in sources(places) for text in rule(source)]

    assert not found, f"{rule.__doc__}\n" + "\n".join(found)


def broken(rule: Rule, snippet: str) -> list[str]:
    return list(rule(Source("voicegate/snippet.py", snippet)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_sees_the_sin_and_only_the_sin(rule: Rule) -> None:
    _, sin, virtue = RULES[rule]

    assert broken(rule, sin)
    assert not virtue or not broken(rule, virtue)


@pytest.mark.parametrize(("rule", "sin"), MORE_SINS)
def test_the_rule_sees_its_other_shapes(rule: Rule, sin: str) -> None:
    assert broken(rule, sin)


@pytest.mark.parametrize(("rule", "virtue"), MORE_VIRTUES)
def test_the_rule_lets_honest_code_pass(rule: Rule, virtue: str) -> None:
    assert not broken(rule, virtue)


def test_a_module_with_a_test_and_a_package_need_none() -> None:
    assert not list(has_its_test(Source("simulator/clock.py", "")))
    assert not list(has_its_test(Source("simulator/__init__.py", "")))


def test_the_lists_of_exceptions_name_what_exists() -> None:
    """An exception outlives its reason when the file is gone or was mended."""
    for path in (*BROAD_EXCEPTS, *TASK_OWNERS, *THREAD_OWNERS):
        assert (ROOT / path).is_file(), path
    for entry in MUTABLE_DATACLASSES:
        path, _, name = entry.partition(":")
        assert (ROOT / path).is_file(), entry
        nodes = ast.walk(parse((ROOT / path).read_text(encoding="utf-8")))
        names = [node.name for node in nodes if isinstance(node, ast.ClassDef)]
        assert name in names, entry
