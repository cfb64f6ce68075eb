"""Goodbye: does an utterance, heard in fragments, end in leave-taking? Pure.

The phrases are data (`phrases.toml`). A farewell counts at the end of what its speaker has said in
this turn, so "Goodbye" stops counting when "Yellow Brick Road" follows.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

MAX_UTTERANCE_CHARS = 300
"""More of one turn than this is cut at the front: only its end decides."""
SENTENCE_ENDS = re.compile("[.!?\u2026\u3002\uff01\uff1f;\u037e]+")
QUESTION = re.compile("[?\uff1f;\u037e][\\s\"'\u201d\u00bb\u300d\u300f)]*$")
"""A farewell that is asked for, or about, is none; the Greek question mark is a semicolon."""
APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc`")


class Speaker(StrEnum):
    """Who said it."""

    CALLER = "caller"
    MODEL = "model"


def normalise(text: str) -> str:
    """Give the words alone: lower case, one form of each letter, no apostrophes, single blanks."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(APOSTROPHES)
    # marks belong to their letters: without them many scripts fall apart
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in text)
    return " ".join("".join(kept).split())


@dataclass(frozen=True)
class Language:
    """How one language takes leave, over normalised text."""

    joined: bool
    """Written without blanks, or with blanks that mean little: they are taken out."""
    leave: re.Pattern[str]
    """A farewell, and whatever may follow it, up to the end."""
    tail: re.Pattern[str]
    """Nothing but what may follow a farewell."""
    not_after: tuple[str, ...]
    """Right behind one of these a farewell is spoken of, not said."""
    last: frozenset[str]
    """The last words, or letters, that all this can end in: a quick look before a long one."""

    def ends(self, sentence: str) -> bool:
        """Say whether the sentence ends in a farewell."""
        found = self.leave.search(sentence)
        if found is None:
            return False
        before = sentence[: found.start()].rstrip()
        blank = "" if self.joined else " "
        return not any(f"{blank}{before}".endswith(f"{blank}{word}") for word in self.not_after)

    def may_end(self, sentence: str) -> bool:
        """Say whether it is worth a look."""
        return (sentence[-1:] if self.joined else sentence.rpartition(" ")[2]) in self.last


@dataclass(frozen=True)
class Phrases:
    """The farewells of all languages."""

    languages: Mapping[str, Language]
    """By ISO 639 code."""

    def end(self, utterance: str) -> bool:
        """Say whether the utterance ends in a farewell, in whichever language."""
        if QUESTION.search(utterance):
            return False
        sentences = [normalise(one) for one in SENTENCE_ENDS.split(utterance)]
        sentences = [one for one in sentences if one]
        joined = [one.replace(" ", "") for one in sentences]
        return any(
            _ends(language, joined if language.joined else sentences)
            for language in self.languages.values()
        )


def _ends(language: Language, sentences: list[str]) -> bool:
    """Look at the last sentence that is more than thanks."""
    for sentence in reversed(sentences):
        if not language.may_end(sentence):
            return False
        if language.ends(sentence):
            return True
        if not language.tail.fullmatch(sentence):
            return False
    return False


@cache
def load_phrases() -> Phrases:
    """Read `phrases.toml`, once: it is part of the program."""
    text = resources.files("voicegate").joinpath("phrases.toml").read_text(encoding="utf-8")
    rows: Mapping[str, Any] = tomllib.loads(text)
    return Phrases({code: _language(**row) for code, row in rows.items()})


def _language(
    farewells: list[str], tails: list[str], not_after: list[str], *, joined: bool = False
) -> Language:
    blank = "" if joined else " "
    leave, follow, before = (
        [normalise(one).replace(" ", blank) for one in phrases]
        for phrases in (farewells, tails, not_after)
    )
    farewell, tail = _one_of(leave), _one_of(follow + leave)
    start = "" if joined else r"(?:^|(?<= ))"
    return Language(
        joined=joined,
        leave=re.compile(rf"{start}{farewell}(?:{blank}{tail})*$"),
        tail=re.compile(rf"{_one_of(follow)}(?:{blank}{_one_of(follow)})*"),
        not_after=tuple(before),
        last=frozenset(one[-1] if joined else one.split()[-1] for one in leave + follow),
    )


def _one_of(phrases: list[str]) -> str:
    """Give an expression for any of them, the longest first."""
    return f"(?:{'|'.join(re.escape(one) for one in sorted(phrases, key=len, reverse=True))})"


GOODBYE_BY = {
    "either": (Speaker.CALLER, Speaker.MODEL),
    "caller": (Speaker.CALLER,),
    "model": (Speaker.MODEL,),
    "off": (),
}
"""Whose goodbye counts, by call.goodbye."""


class GoodbyeWatch:
    """Follows both speakers' words of the current turn.

    `listen_to` says whose goodbye counts.
    """

    def __init__(self, phrases: Phrases, listen_to: tuple[Speaker, ...]) -> None:
        self._phrases = phrases
        self._said = dict.fromkeys(listen_to, "")

    def hears(self, speaker: Speaker, fragment: str) -> bool:
        """Take the next fragment of a transcript; say whether its speaker now says goodbye."""
        if speaker not in self._said:
            return False
        self._said[speaker] = (self._said[speaker] + fragment)[-MAX_UTTERANCE_CHARS:]
        return self._phrases.end(self._said[speaker])

    def turn_over(self, speaker: Speaker) -> None:
        """Begin a new utterance of that speaker."""
        if speaker in self._said:
            self._said[speaker] = ""
