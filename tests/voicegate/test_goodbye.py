"""Goodbye: what ends a call, what does not, in fragments as they come."""

import json
from pathlib import Path

import pytest

from voicegate.goodbye import GoodbyeWatch, Phrases, Speaker, load_phrases, normalise

TABLE: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "goodbyes.json").read_text(encoding="utf-8")
)
"""What people say, by language: `goodbye`, and `not` where it only sounds like it."""


def rows(kind: str) -> list[tuple[str, str]]:
    return [(language, text) for language, table in TABLE.items() for text in table[kind]]


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load_phrases()


@pytest.mark.parametrize(("language", "utterance"), rows("goodbye"))
def test_a_goodbye_at_the_end_counts(phrases: Phrases, language: str, utterance: str) -> None:
    assert phrases.end(utterance), language


@pytest.mark.parametrize(("language", "utterance"), rows("not"))
def test_a_goodbye_spoken_of_does_not(phrases: Phrases, language: str, utterance: str) -> None:
    assert not phrases.end(utterance), language


@pytest.mark.parametrize(("language", "utterance"), rows("goodbye"))
def test_neither_case_nor_the_last_stop_matter(
    phrases: Phrases, language: str, utterance: str
) -> None:
    assert phrases.end(utterance.upper().rstrip(".!\u3002\uff01")), language


@pytest.mark.parametrize("language", TABLE)
def test_the_table_has_enough_of_each(language: str) -> None:
    assert len(TABLE[language]["goodbye"]) >= 10
    assert len(TABLE[language]["not"]) >= 8


def test_the_phrases_of_all_languages_are_what_they_say(phrases: Phrases) -> None:
    """Each farewell counts alone and before each tail; behind a word of `not_after` it does not."""
    import tomllib

    import voicegate

    path = Path(voicegate.__file__).with_name("phrases.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert len(data) >= len(TABLE) + 11
    for code, row in data.items():
        language, blank = phrases.languages[code], "" if row.get("joined") else " "
        for farewell in row["farewells"]:
            assert phrases.end(farewell), (code, farewell)
            assert all(phrases.end(f"{farewell}{blank}{tail}") for tail in row["tails"]), farewell
            for word in row["not_after"]:
                words = normalise(f"{word} {farewell}").replace(" ", blank)
                assert not language.ends(words), (code, words)


def test_fragments_are_joined(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.CALLER, Speaker.MODEL))
    said = [watch.hears(Speaker.CALLER, fragment) for fragment in ("Well, good", "b", "ye", ".")]
    assert said == [False, False, True, True]


@pytest.mark.parametrize(("language", "utterance"), rows("goodbye"))
def test_letter_by_letter_the_end_is_the_same(
    phrases: Phrases, language: str, utterance: str
) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.MODEL,))
    assert [watch.hears(Speaker.MODEL, letter) for letter in utterance][-1], language


def test_a_goodbye_is_taken_back_by_what_follows(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.CALLER,))
    assert watch.hears(Speaker.CALLER, "Goodbye")
    assert not watch.hears(Speaker.CALLER, " Yellow Brick Road is my favourite")


def test_thanks_after_a_goodbye_take_nothing_back(phrases: Phrases) -> None:
    assert phrases.end("Goodbye. Thank you. Thanks.")
    assert not phrases.end("Thank you. Thanks.")


def test_only_the_configured_speaker_counts(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.MODEL,))
    assert not watch.hears(Speaker.CALLER, "Goodbye.")
    assert watch.hears(Speaker.MODEL, "Goodbye.")


def test_a_new_turn_starts_afresh(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.CALLER,))
    watch.hears(Speaker.CALLER, "I will not say good")
    watch.turn_over(Speaker.CALLER)
    assert not watch.hears(Speaker.CALLER, "morning")
    watch.turn_over(Speaker.CALLER)
    assert watch.hears(Speaker.CALLER, "bye")


def test_a_monologue_is_bounded_and_its_end_decides(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.MODEL,))
    for _ in range(2000):
        watch.hears(Speaker.MODEL, "and so on ")
    assert watch.hears(Speaker.MODEL, "until then, goodbye")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  Mach\u2019s  GUT!\n", "machs gut"),
        ("Tschüß", "tschüss"),
        ("a\u0300 bientôt", "à bientôt"),
        ("\uff42\uff59\uff45", "bye"),
        ("再见，谢谢！", "再见 谢谢"),
    ],
)
def test_words_alone_are_left(text: str, words: str) -> None:
    assert normalise(text) == words
