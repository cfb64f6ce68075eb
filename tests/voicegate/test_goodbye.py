"""Goodbye: what ends a call, what does not, in fragments as they come."""

import pytest

from voicegate.goodbye import GoodbyeWatch, Phrases, Speaker, load_phrases, normalise


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return load_phrases()


@pytest.mark.parametrize(
    "utterance",
    [
        "Goodbye.",
        "Okay, thank you, bye!",
        "Bye-bye",
        "Thanks for calling. Have a great day!",
        "All right. Goodbye then.",
        "Good night, thank you very much.",
        "Auf Wiederhören!",
        "Vielen Dank, tschüss dann.",
        "Mach\u2019s gut!",
        "Einen schönen Tag noch.",
        "Довиждане!",
        "Благодаря, чао-чао.",
        "Лек ден и на вас.",
    ],
)
def test_a_farewell_at_the_end_counts(phrases: Phrases, utterance: str) -> None:
    assert phrases.end(utterance)


@pytest.mark.parametrize(
    "utterance",
    [
        "",
        "Hello?",
        "I'll say goodbye later",
        "Goodbye Yellow Brick Road",
        "I do not want to say goodbye",
        "Never say bye.",
        "the bypass",
        "Ich will nicht auf Wiedersehen sagen",
        "Ich sage tschüss",
        "Auf Wiedersehen ist ein schönes Wort",
        "Не искам да кажа довиждане",
        "Довиждане е хубава дума",
    ],
)
def test_a_farewell_spoken_of_does_not(phrases: Phrases, utterance: str) -> None:
    assert not phrases.end(utterance)


def test_fragments_are_joined(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.CALLER, Speaker.MODEL))
    said = [watch.hears(Speaker.CALLER, fragment) for fragment in ("Well, good", "b", "ye", ".")]
    assert said == [False, False, True, True]


def test_a_goodbye_is_taken_back_by_what_follows(phrases: Phrases) -> None:
    watch = GoodbyeWatch(phrases, (Speaker.CALLER,))
    assert watch.hears(Speaker.CALLER, "Goodbye")
    assert not watch.hears(Speaker.CALLER, " Yellow Brick Road is my favourite")


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
    assert watch.hears(Speaker.MODEL, "goodbye")


def test_words_alone_are_left() -> None:
    assert normalise("  Mach\u2019s  GUT!\n") == "machs gut"
