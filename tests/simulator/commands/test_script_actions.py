"""Each verb of a script file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.audio.wav import write
from simulator.commands.script_actions import VERBS, Say, ScriptError, read_action, read_table

HERE = Path()


@pytest.mark.parametrize(
    ("name", "value", "action"),
    [
        ("say", "Good day", "say"),
        ("say", 1.5, "say"),
        ("say", 2, "say"),
        ("say", {"stamps": 3, "every_s": 0.5}, "say"),
        ("say", {"seconds": 1.0, "text": "beside it", "burst": 4.0}, "say"),
        ("transcript", "words", "transcript"),
        ("hear", "words", "hear"),
        ("near_silent", 2.0, "near_silent"),
        ("empty_turn", True, "empty_turn"),
        ("empty_turn", "RESPONSE_REJECTED", "empty_turn"),
        ("pause", 0.5, "pause"),
        ("tool_call", "hang_up", "tool_call"),
        ("tool_call", {"name": "x", "id": "i", "args": {"name": 1, "call_id": 2}}, "tool_call"),
        ("interrupt", True, "interrupt"),
        ("close", True, "close"),
        ("close", 1011, "close"),
        ("close", {"code": 1008, "reason": "no"}, "close"),
        ("abort", True, "abort"),
        ("go_away", 50, "go_away"),
        ("stall", 1, "stall"),
        ("pong", 30.0, "pong"),
        ("pong", "never", "pong"),
        ("raw", "text", "raw"),
        ("raw", {"anything": {"goes": 1}}, "raw"),
        ("unknown_frame", True, "raw"),
        ("error_frame", True, "raw"),
        ("error_frame", {"code": 503, "message": "m"}, "raw"),
    ],
)
def test_a_verb_and_its_values(name: str, value: Any, action: str) -> None:
    assert read_action(name, value, HERE).name == action


def test_every_verb_is_tried_above() -> None:
    [mark] = [m for m in test_a_verb_and_its_values.pytestmark if m.name == "parametrize"]
    assert {row[0] for row in mark.args[1]} == set(VERBS)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sya", "x", "sya: no such action; there are say, transcript"),
        ("say", True, "say: exactly one of words, seconds, wav, stamps"),
        ("say", {}, "say: exactly one of"),
        ("say", {"words": "a", "seconds": 1.0}, "say: exactly one of"),
        ("say", {"brust": 1.0, "words": "a"}, "say.brust: no such key; there are words"),
        ("say", "none.wav", "say: none.wav: no WAV file"),
        ("say", 0, "say.seconds: Input should be greater than 0"),
        ("say", "", "say.words: String should have at least 1 character"),
        ("close", 999, "close.code: Input should be greater than or equal to 1000"),
        ("close", 1006, "close.code: 1006 cannot be sent"),
        ("close", "1000", "close.code: Input should be a valid integer"),
        ("abort", 1, "abort: Input should be a valid dictionary"),
        ("abort", {"x": 1}, "abort.x: no such key; there are none"),
        ("pause", True, "pause.seconds: Input should be a valid number"),
        ("pause", -1, "pause.seconds: Input should be greater than or equal to 0"),
        ("pong", "soon", "pong.seconds"),
        ("transcript", 5, "transcript.text: Input should be a valid string"),
        ("tool_call", {"args": {}}, "tool_call.name: Field required"),
    ],
)
def test_a_mistake_is_named(name: str, value: Any, words: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read_action(name, value, HERE)
    assert str(caught.value).startswith(words)
    assert caught.value.key == name


def test_a_recording_lies_beside_the_script(tmp_path: Path) -> None:
    write(tmp_path / "hello.wav", np.ones(2400, dtype=np.int16), 24_000)

    say: Say = read_table(Say, {"wav": "hello.wav"})

    assert say.sound(tmp_path).duration_s == pytest.approx(0.1)
    assert read_action("say", "hello.wav", tmp_path).name == "say"


def test_how_fast_and_how_long() -> None:
    said: Say = read_table(Say, {"stamps": "endless", "burst": 2.5})
    assert said.pacing is not None
    assert said.pacing.burst == 2.5
    assert said.sound(HERE).duration_s == float("inf")
    assert read_table(Say, {"words": "a b"}).sound(HERE).duration_s == pytest.approx(0.7)
    assert read_table(Say, {"words": "a b"}).pacing is None
