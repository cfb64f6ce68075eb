"""Who has the floor, told once for each change."""

import pytest

from voicegate.floor import GAP_FRAMES, PAUSE_FRAMES, Floor
from voicegate.story import Event, Happening, Story

SPEAKS, SILENT = Happening.CALLER_SPEAKS, Happening.CALLER_SILENT


class Told:
    """A floor and what it tells; a frame of the caller takes 20 ms of its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[Event] = []
        story = Story(lambda: self.now)
        story.listen(self.events.append)
        self.floor = Floor(story)

    def caller(self, speech: bool, frames: int, queued_ms: float = 0.0) -> None:
        for _ in range(frames):
            self.now += 0.02
            self.floor.caller_frame(speech, queued_ms)

    @property
    def what(self) -> list[Happening]:
        return [one.what for one in self.events]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_breath_between_words_does_not_give_the_floor_away(told: Told) -> None:
    told.caller(True, 50)
    told.caller(False, PAUSE_FRAMES - 1)
    told.caller(True, 50)
    assert told.what == [SPEAKS]


def test_half_a_second_of_quiet_does(told: Told) -> None:
    told.caller(True, 50)
    told.caller(False, PAUSE_FRAMES * 3)
    told.caller(True, 1)
    assert told.what == [SPEAKS, SILENT, SPEAKS]
    assert told.events[1].at_s - told.events[0].at_s == pytest.approx(0.98 + 0.5)


def test_the_model_is_silent_when_all_it_said_was_played(told: Told) -> None:
    told.floor.model_sound()
    told.floor.model_sound()
    told.caller(False, 100, queued_ms=200.0)
    told.caller(False, GAP_FRAMES - 1)
    told.caller(False, 10, queued_ms=20.0)
    assert told.what == [Happening.MODEL_SPEAKS]
    told.caller(False, GAP_FRAMES)
    assert told.what == [Happening.MODEL_SPEAKS, Happening.MODEL_SILENT]


def test_a_model_that_is_cut_off_is_silent_at_once(told: Told) -> None:
    told.floor.model_sound()
    told.floor.model_silent()
    told.floor.model_silent()
    assert told.what == [Happening.MODEL_SPEAKS, Happening.MODEL_SILENT]
