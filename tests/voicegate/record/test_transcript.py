"""The transcript of a recording: fragments joined to utterances, with times and speakers."""

import json

from voicegate.record.transcript import Transcript, Utterance, as_json, as_text
from voicegate.story import Event, Happening

CALLER, MODEL = Happening.CALLER_SAID, Happening.MODEL_SAID


def transcribed(*told: tuple[float, Happening, str]) -> list[tuple[float, str, str]]:
    transcript = Transcript()
    found: list[Utterance] = []
    for at_s, what, text in told:
        found += transcript.take(Event(at_s, what, {"text": text}))
    return [(one.start_s, one.speaker, one.text) for one in found]


def test_fragments_are_joined_though_both_come_mixed() -> None:
    assert transcribed(
        (1.0, CALLER, "I would "),
        (1.2, MODEL, "Of"),
        (1.3, CALLER, "like  a table."),
        (1.4, MODEL, " course."),
        (2.0, Happening.TURN_COMPLETE, ""),
    ) == [(1.0, "caller", "I would like a table."), (1.2, "model", "Of course.")]


def test_an_interruption_ends_what_the_model_said_only() -> None:
    assert transcribed(
        (1.0, MODEL, "We have"),
        (1.5, CALLER, "Stop"),
        (1.6, Happening.INTERRUPTED, ""),
        (1.7, CALLER, " it."),
        (2.0, MODEL, "Sorry."),
        (3.0, Happening.ENDED, ""),
    ) == [(1.0, "model", "We have"), (1.5, "caller", "Stop it."), (2.0, "model", "Sorry.")]


def test_a_long_pause_ends_an_utterance() -> None:
    assert transcribed(
        (1.0, CALLER, "Hello?"), (9.0, CALLER, "Anyone?"), (10.0, Happening.ENDED, "")
    ) == [(1.0, "caller", "Hello?"), (9.0, "caller", "Anyone?")]


def test_nothing_said_is_no_utterance() -> None:
    assert transcribed((1.0, CALLER, "  "), (2.0, Happening.ENDED, "")) == []


def test_a_line_tells_the_time_within_the_sound() -> None:
    said = Utterance("caller", 227.51, 229.0, "Добър ден")
    assert as_text(said, 100.0) == "[02:07.5] caller: Добър ден\n"
    assert as_text(Utterance("model", 159.99, 160, "a"), 100.0) == "[01:00.0] model: a\n"
    line = as_json(said, 100.0, lambda at_s: f"wall {at_s}")
    assert json.loads(line) == {
        "at": "wall 227.51",
        "start_s": 127.51,
        "end_s": 129.0,
        "speaker": "caller",
        "text": "Добър ден",
    }
    assert line.endswith("}\n")
