"""Goodbye: does an utterance, heard in fragments, end in leave-taking? Pure.

The phrases are data (`phrases.toml`). A farewell counts at the end of what its speaker has said in
this turn, so "Goodbye" stops counting when "Yellow Brick Road" follows.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

MAX_UTTERANCE_CHARS = 300
"""More of one turn than this is cut at the front: only its end decides."""


class Speaker(StrEnum):
    """Who said it."""

    CALLER = "caller"
    MODEL = "model"


def normalise(text: str) -> str:
    """Give the words alone: lower case, apostrophes dropped, single blanks."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("\u2019", "")))


@dataclass(frozen=True)
class Phrases:
    """The compiled farewells of all languages."""

    pattern: re.Pattern[str]
    """Matches a normalised utterance that ends in a farewell."""

    def end(self, utterance: str) -> bool:
        """Say whether the utterance ends in a farewell."""
        return self.pattern.search(normalise(utterance)) is not None


def load_phrases() -> Phrases:
    """Read `phrases.toml`."""
    text = resources.files("voicegate").joinpath("phrases.toml").read_text(encoding="utf-8")
    languages: Mapping[str, Any] = tomllib.loads(text)
    return Phrases(re.compile("|".join(_pattern(rows) for rows in languages.values())))


def _pattern(rows: Mapping[str, list[str]]) -> str:
    """Build one language's expression: farewell, any tails, end; not behind a `not_after` word."""
    farewells, tails, not_after = (
        "|".join(re.escape(normalise(one)) for one in sorted(rows[key], key=len, reverse=True))
        for key in ("farewells", "tails", "not_after")
    )
    before = "".join(rf"(?<!\b{word} )" for word in not_after.split("|"))
    return rf"(?:\b{before}(?:{farewells})(?: (?:{tails}))*$)"


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
