"""What the documentation says exists: commands, settings, metrics, log lines, links, files."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

import simulator.cli
import voicegate.cli
from voicegate.config import ENV_PREFIX, Config, load
from voicegate.endings import HangupReason

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
SECTIONS = tuple(Config.model_fields)
SHELLS = ("", "sh", "bat")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PLACE = re.compile(r"(?:voicegate|simulator|scenarios|tests|ci|deploy|docs)/[\w./-]+(?:::\w+)?")
SETTING = re.compile(rf"({'|'.join(SECTIONS)})\.([a-z_]+)(?= |=|$)")
VARIABLE = re.compile(rf"\b{ENV_PREFIX}([A-Z]+)__([A-Z_]+)\b")
METRIC = re.compile(r"\bvoicegate_[a-z_]+\b(?!\.)|\b[a-z_]+_total\b")
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
FILES = (".py", ".md", ".json", ".wav", ".toml", ".txt", ".log", ".pem", ".conf", ".jsonl", ".pcap")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(text: str) -> str:
    return FENCE.sub("", text)


def codes(text: str) -> list[str]:
    return CODE.findall(prose(text))


def blocks(text: str, *languages: str) -> list[str]:
    return [block for language, block in FENCE.findall(text) if language in languages]


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of each line of a shell block, its program first; no redirection, no variables."""
    for block in blocks(text, *SHELLS):
        joined = re.sub(r" *\\\n *", " ", block)
        for line in joined.splitlines():
            yield from line_words(line)


def line_words(line: str) -> Iterator[list[str]]:
    """One line's commands; what is no shell line has no command that is looked at."""
    try:
        words = shlex.split(line.replace("\\", "/"), comments=True)
    except ValueError:
        return
    while words and (ASSIGNMENT.fullmatch(words[0]) or words[0] in ("sudo", "cd", "$", "&&")):
        words = words[1:]
    if words[:2] == ["uv", "run"]:
        words = words[2:]
        if words[:1] == ["--group"]:
            words = words[2:]
    ends = [at for at, word in enumerate(words) if re.fullmatch(r"[|&;]+|2?>.*", word)]
    if words:
        first = Path(words[0]).name.removesuffix(".exe")
        yield [first, *words[1 : ends[0] if ends else None]]


def parsed_by_typer(app: typer.Typer, name: str, words: Sequence[str]) -> None:
    """Read the words as the program would, and do nothing."""
    group: Any = typer.main.get_command(app)
    if not words or words[0].startswith("-"):
        group.make_context(name, list(words))
        return
    context = group.make_context(name, [words[0]])
    command = group.get_command(context, words[0])
    assert command is not None, f"{name} has no command {words[0]}"
    command.make_context(words[0], list(words[1:]), parent=context)


def parsed_by_pytest(words: Sequence[str], config: pytest.Config) -> None:
    """Every option is one that pytest or a plugin of the project declares; every path is there."""
    _, unknown = config._parser.parse_known_and_unknown_args(list(words))
    assert not unknown, f"pytest knows no {unknown}"
    for word in words:
        if PLACE.fullmatch(word):
            assert stands(word), word


def parsed_by_script(words: Sequence[str]) -> None:
    """The script is there, and each option is in its text or in that of its neighbours."""
    script = ROOT / words[0]
    assert script.is_file(), f"there is no {words[0]}"
    beside = script.parent.glob("*.py") if "bad_gateways" in words[0] else [script]
    known = {
        str(node.args[0].value)
        for one in beside
        for node in ast.walk(ast.parse(one.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "add_argument"
        and isinstance(node.args[0], ast.Constant)
    }
    assert {word for word in words if word.startswith("--")} <= known, words


def check_command(words: Sequence[str], config: pytest.Config) -> bool:
    """Check one command; say whether it is one of the project's own."""
    program, rest = words[0], words[1:]
    if program in ("python", "python3") and rest[:1] == ["-m"]:
        program, rest = {"simulator": "gatesim"}.get(rest[1], rest[1]), rest[2:]
    try:
        if program == "voicegate":
            parsed_by_typer(voicegate.cli.app, program, rest)
        elif program == "gatesim":
            parsed_by_typer(simulator.cli.app, program, rest)
        elif program == "pytest":
            parsed_by_pytest(rest, config)
        elif program in ("python", "python3"):
            parsed_by_script(rest)
        else:
            return False
    except (RuntimeError, AssertionError, SystemExit):
        raise
    except Exception as error:
        raise AssertionError(f"{shlex.join(words)}: {error}") from error
    return True


@cache
def definitions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def stands(place: str) -> bool:
    """Whether a path from the root, perhaps with a test's name, is there."""
    path, _, name = place.partition("::")
    file = ROOT / path
    return file.exists() and (not name or name in definitions(file))


@cache
def anchors(page: Path) -> set[str]:
    """The headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", read(page)), re.MULTILINE)
    return {
        re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip()) for title in titles
    }


@cache
def known_metrics() -> set[str]:
    """Those of the reference, which another test holds against the running gateway."""
    text = read(ROOT / "docs/operate.md")
    full = set(re.findall(r"^\| `(voicegate_\w+)`", text, re.MULTILINE))
    return full | {name.removeprefix("voicegate_") for name in full}


@cache
def logged() -> set[str]:
    """The words of every log line of the gateway."""
    return {
        str(node.args[0].value)
        for path in (ROOT / "voicegate").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
    } | set(callbacks())


def looked_at() -> set[str]:
    """The names of what `voicegate check` looks at."""
    texts = [read(path) for path in (ROOT / "voicegate/host").glob("*.py")]
    return set(re.findall(r'(?:ok|warn|fail|Finding)\(\s*"([^"]+)"', "".join(texts)))


def callbacks() -> Iterator[str]:
    """Log lines that are written by a callback: `owned.callback(log.info, "model closed")`."""
    for path in (ROOT / "voicegate").rglob("*.py"):
        found = re.findall(r'log\.\w+, "([^"]+)"', path.read_text(encoding="utf-8"))
        yield from found


def settings_named(text: str) -> Iterator[tuple[str, str]]:
    """Sections and keys: `sip.port` in code, VOICEGATE_SIP__PORT anywhere."""
    for code in codes(text):
        if (found := SETTING.match(code)) and not code.endswith(FILES):
            yield found[1], found[2]
    yield from ((section.lower(), key.lower()) for section, key in VARIABLE.findall(text))


def exists(section: str, key: str) -> bool:
    field = Config.model_fields.get(section)
    return field is not None and key in getattr(field.annotation, "model_fields", {})


@pages
def test_every_command_is_understood(page: Path, pytestconfig: pytest.Config) -> None:
    for words in command_lines(read(page)):
        check_command(words, pytestconfig)


def test_commands_are_found_and_a_wrong_one_is_seen(pytestconfig: pytest.Config) -> None:
    found = [words for page in PAGES for words in command_lines(read(page))]
    assert sum(check_command(words, pytestconfig) for words in found) >= 30
    for line in (
        "voicegate chek",
        "voicegate serve --confg x.toml",
        "uv run gatesim call",
        "gatesim soak sip:127.0.0.1:5060 --calls many",
        "A=b pytest --clok real",
        "pytest scenarios/test_nothing.py",
        "python ci/nothing.py",
        "python ci/check.py --onli tests",
    ):
        (words,) = line_words(line)
        with pytest.raises(AssertionError):
            check_command(words, pytestconfig)


@pages
def test_every_setting_exists(page: Path) -> None:
    named = [name for name in settings_named(read(page)) if not exists(*name)]
    # what `voicegate check` looks at has names of the same form
    assert [name for name in named if ".".join(name) not in looked_at()] == []


def test_a_setting_that_does_not_exist_is_seen() -> None:
    named = list(settings_named("`sip.prot = 1`, `call.json`, VOICEGATE_SIP__PORT=1"))
    assert [exists(*name) for name in named] == [False, True]


@pages
def test_every_settings_file_is_valid(page: Path, tmp_path: Path) -> None:
    for block in blocks(read(page), "toml"):
        if set(tomllib.loads(block)) <= set(SECTIONS):
            file = tmp_path / "voicegate.toml"
            file.write_text(block, encoding="utf-8")
            load(file, environ={}, dotenv=None)


@pages
def test_every_metric_exists(page: Path) -> None:
    found = {name for code in codes(read(page)) for name in METRIC.findall(code)}
    assert found - known_metrics() == set()


@pages
def test_every_log_line_and_reason_exists(page: Path) -> None:
    text = read(page)
    assert set(re.findall(r"log line `([^`]+)`", text)) - logged() == set()
    reasons = {reason.value for reason in HangupReason}
    assert set(re.findall(r"reason\s`(\w+)`", text)) - reasons == set()


def test_every_reason_of_an_end_is_explained() -> None:
    told = set(codes(read(ROOT / "docs/troubleshooting.md")))
    assert {reason.value for reason in HangupReason} - told == set()


@pages
def test_every_line_of_check_exists(page: Path) -> None:
    found = set(re.findall(r"check line `([^`]+)`", read(page)))
    assert found <= looked_at()


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(read(page))):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), target


@pages
def test_every_file_named_is_there(page: Path) -> None:
    named = [code for code in codes(read(page)) if PLACE.fullmatch(code)]
    assert [place for place in named if not stands(place)] == []


def test_every_trap_has_its_row_and_every_test_of_a_trap_is_in_one() -> None:
    text = read(ROOT / "docs/traps.md")
    rows = re.findall(r"^\| (\d+) [^|]+\|[^|]+\| `", text, re.MULTILINE)
    assert sorted(map(int, rows)) == list(range(1, 16))
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "scenarios").glob("test_*.py")]
    tests = {name for file in files for name in re.findall(r"def (test_trap_\w+)", read(file))}
    assert tests - set(re.findall(r"::(\w+)", text)) == set()


def test_every_verb_of_a_scenario_exists() -> None:
    rooms = ("gate", "gemini", "audio", "witness", "target")
    files = [path for room in rooms for path in (ROOT / "simulator" / room).glob("*.py")]
    known = set(re.findall(r"def (\w+)\(", "".join(read(path) for path in files)))
    text = " ".join(codes(read(ROOT / "docs/write-a-scenario.md")))
    named = set(re.findall(r"\b(?:call|gate|gemini|heard|model|network|witness)\.(\w+)\(", text))
    assert len(named) > 30
    assert named - known == set()


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = read(ROOT / "mkdocs.yml")
    listed = set(re.findall(r": ([\w/-]+\.md)$", contents, re.MULTILINE))
    there = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert listed == there
