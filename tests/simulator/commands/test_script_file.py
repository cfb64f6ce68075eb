"""Script files: what they become, and how their mistakes are named."""

from pathlib import Path
from typing import Any

import pytest

from simulator.commands.script_actions import VERBS, ScriptError
from simulator.commands.script_file import load_script
from simulator.gemini.server import FakeGemini

WHOLE = """\
[service]
binary = false
lifetime_s = 60
time_factor = 2

[pacing]
burst = 4.0
chunk_ms = 40

[[on_connect]]
say = "Good day"

[[on_text]]
containing = "weather"
session = 1
say = "It rains"
go_away = 50
close = 1000

[[on_speech]]
hear = "Yes"
do = [ { say = 1.0 }, { pause = 0.5 }, { say = "And again", stall = 0.1 } ]

[[on_speech]]
empty_turn = true

[[on_tool_result]]
containing = "book"
say = "Booked"

[[always]]
say = { stamps = "endless" }
session = 3

[[refuse]]
status = 429
times = 2

[[refuse_setup]]
code = 1008
reason = "no"

[[stall_setup]]
session = 4
"""


def load(text: str, folder: Path, name: str = "script.toml") -> FakeGemini:
    gemini, path = FakeGemini(), folder / name
    path.write_text(text, encoding="utf-8")
    load_script(gemini, path)
    return gemini


def test_every_table_is_taken(tmp_path: Path) -> None:
    gemini = load(WHOLE, tmp_path)

    assert (gemini.binary, gemini.lifetime_s, gemini.time_factor) == (False, 60, 2)
    assert (gemini.warning_s, gemini.setup_timeout_s) == (None, 10.0)
    assert (gemini.pacing.burst, gemini.pacing.chunk_ms, gemini.pacing.think_s) == (4.0, 40, 0.2)
    rules: list[Any] = [
        (rule.trigger, rule.session, rule.containing, [one.name for one in rule.actions])
        for rule in gemini.script.rules
    ]
    assert rules == [
        ("connect", None, "", ["say"]),
        ("text", 1, "weather", ["say", "go_away", "close"]),
        ("speech", None, "", ["hear", "say", "pause", "say", "stall"]),
        ("speech", None, "", ["empty_turn"]),
        ("tool", None, "book", ["say"]),
    ]
    [(session, voice, _)] = gemini.script.voices
    assert (session, voice.duration_s) == (3, float("inf"))
    refused, closed, stalled = gemini.entrance.obstacles
    assert (refused.status, refused.times) == (429, 2)
    assert closed.close == (1008, "no")
    assert (stalled.stall_s, stalled.session) == (None, 4)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("go_away", "goaway", "line 17: [[on_text]] row 1: goaway: no such action"),
        ("burst =", "brust =", "line 7: [pacing]: brust: no such key; there are burst"),
        ("pause = 0.5", "pose = 0.5", "line 22: [[on_speech]] row 1: pose: no such action"),
        ("empty_turn = true", "session = 1", "line 24: [[on_speech]] row 2: there is nothing to"),
        ("[[refuse]]", "[[refuze]]", "line 35: refuze: no such table; there are service"),
        ("status = 429", "status = 200", "line 36: [[refuse]] row 1: status: Input should be"),
        ("session = 3", "session = -3", "line 33: [[always]] row 1: session: Input should"),
        ('stamps = "endless"', "stamp = 1", "line 32: [[always]] row 1: say.stamp: no such key"),
        ("code = 1008", "code = 1005", "line 40: [[refuse_setup]] row 1: code: 1005 cannot be"),
        ("do = [", "do = 1 # [", "line 22: [[on_speech]] row 1: do: must be a list of tables"),
        ('say = "Good day"', 'containing = "x"', "line 11: [[on_connect]] row 1: containing: no"),
        ("[[always]]", "[always]", "line 31: always: must be rows of [[always]]"),
        ("[service]\n", "pacing = 4\n[service]\n", "[pacing]: must be a table"),
        ('hear = "Yes"', 'hear = "Yes', "(at line 21, column"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_row(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    assert old in WHOLE
    text = WHOLE.replace(old, new)
    if new.startswith("pacing"):
        text = text.replace("[pacing]\nburst = 4.0\nchunk_ms = 40\n", "")

    with pytest.raises(ScriptError) as caught:
        load(text, tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / 'script.toml'}: ")
    assert words in str(caught.value)


def test_a_file_may_be_python(tmp_path: Path) -> None:
    code = "def script(gemini):\n    gemini.refuse(503)\n"
    assert load(code, tmp_path, "own.py").entrance.obstacles[0].status == 503


@pytest.mark.parametrize(
    ("code", "words"),
    [("def script(:", "own.py: line 1: "), ("script = 1", "there is no function script(gemini)")],
)
def test_a_python_file_without_a_script_is_refused(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError) as caught:
        load(code, tmp_path, "own.py")
    assert words in str(caught.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    latin, large = tmp_path / "latin.toml", tmp_path / "large.toml"
    latin.write_bytes(b"# \xff")
    large.write_bytes(b"#" * (1 << 20) + b"#")
    for path, words in (
        (tmp_path / "none.toml", "none.toml: "),
        (tmp_path / "none.py", "none.py: "),
        (latin, "not UTF-8"),
        (large, "larger than 1 MiB"),
    ):
        with pytest.raises(ScriptError, match=words):
            load_script(FakeGemini(), path)


def test_the_example_of_the_documentation_works_and_names_every_verb(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "gatesim.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]

    rules = load(example, tmp_path).script.rules

    assert [rule.trigger for rule in rules] == ["connect", "speech", "speech", "text", "tool"]
    assert [name for name in VERBS if f"`{name}`" not in page] == []
