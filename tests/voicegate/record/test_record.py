"""The record of one call, fed by hand: what it hands on, and what it never does."""

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.voicegate.record.test_figures import REPORT
from voicegate.call import Call
from voicegate.record import names
from voicegate.record.disk import Batch
from voicegate.record.record import FLUSH_FRAMES, WAITING_MAX, CallRecord, Clock
from voicegate.settings import RecordSettings
from voicegate.story import Event, Happening, Story

BEGAN = datetime(2026, 11, 25, 14, 23, 5, tzinfo=UTC)
FRAME = b"\x10\x20" * 160
CALLER = "+4915112345678"
ALL = RecordSettings(dir="records", audio=True, transcript=True, pcap=True)


class Media:
    """A call's media as far as a record knows them."""

    codec_name = "PCMA"
    hearing_delay_ms = 60.0

    def __init__(self) -> None:
        self.taps: list[Callable[[bytes, bytes, float], None]] = []
        self.packet_taps: list[Callable[[bytes, Any, Any], None]] = []
        self.tap, self.tap_packets = self.taps.append, self.packet_taps.append


@dataclass
class Dialog:
    call_id: str = "a?b:c@d"
    caller: str = CALLER
    received_at: float = 100.0


@dataclass
class Progress:
    media: Media | None = None
    model: str = ""


@dataclass
class FakeCall:
    story: Story
    dialog: Dialog = field(default_factory=Dialog)
    progress: Progress = field(default_factory=Progress)


class Lab:
    """A call, its record, and what that hands on."""

    def __init__(self, settings: RecordSettings = ALL) -> None:
        self.now = 100.0
        self.call = FakeCall(Story(lambda: self.now))
        self.batches: list[Batch] = []
        self.takes = True
        self.fail: Callable[[OSError], None]
        clock = Clock(lambda: self.now, 100.0, BEGAN)
        self.record = CallRecord(cast(Call, self.call), 7, clock, settings, self._put)

    def _put(self, batch: Batch, failed: Callable[[OSError], None], last: bool) -> bool:
        self.fail = failed
        if self.takes:
            self.batches.append(batch)
        return self.takes

    def rings(self) -> Media:
        media = self.call.progress.media = Media()
        self.call.story.tell(Happening.RINGING)
        return media

    def answers(self) -> None:
        self.rings()
        self.call.story.tell(Happening.ANSWERED)

    def ticks(self, count: int) -> None:
        assert self.call.progress.media
        for _ in range(count):
            self.call.progress.media.taps[0](FRAME, FRAME, self.now)
            self.now += 0.02

    def text(self, name: str) -> str:
        return "".join(batch.lines.get(name, "") for batch in self.batches)


def test_a_recording_hands_on_once_a_second() -> None:
    lab = Lab()
    lab.answers()
    lab.ticks(FLUSH_FRAMES * 3)
    assert len(lab.batches) == 3
    assert {batch.folder.as_posix() for batch in lab.batches} == {
        f"records/2026-11-25/{lab.record.id}"
    }
    lab.record.close(REPORT, None)
    audio = [batch.audio for batch in lab.batches if batch.audio is not None]
    assert sum(len(one.right) for one in audio) == 3 * FLUSH_FRAMES * len(FRAME)


def test_a_call_that_only_rang_leaves_no_sound_to_listen_to() -> None:
    lab = Lab()
    lab.rings()
    lab.ticks(FLUSH_FRAMES * 3)
    lab.record.close(REPORT, None)
    assert [batch.audio for batch in lab.batches if batch.audio is not None] == []


def test_the_media_are_tapped_once() -> None:
    lab = Lab()
    media = lab.rings()
    for _ in range(3):
        lab.call.story.tell(Happening.HELD)
    assert (len(media.taps), len(media.packet_taps)) == (1, 1)


@pytest.mark.parametrize("transcript", [True, False])
def test_what_was_said_is_kept_only_where_a_setting_says_so(transcript: bool) -> None:
    lab = Lab(ALL.model_copy(update={"transcript": transcript}))
    lab.rings()
    lab.call.story.tell(Happening.ANSWERED)
    lab.now += 1.5
    lab.call.story.tell(Happening.CALLER_SAID, text="my secret")
    lab.call.story.tell(Happening.DIGIT, digit="9")
    lab.call.story.tell(Happening.ENDED, reason="goodbye")
    lab.record.close(REPORT, None)
    events = [json.loads(line) for line in lab.text(names.EVENTS).splitlines()]
    assert [one["event"] for one in events] == [
        "ringing",
        "answered",
        "caller_said",
        "digit",
        "ended",
    ]
    assert (events[2]["at"], events[2]["t_s"]) == ("2026-11-25T14:23:06.500+00:00", 1.5)
    assert (events[2].get("text"), events[3].get("digit")) == (
        ("my secret", "9") if transcript else (None, None)
    )
    assert lab.text(names.TRANSCRIPT_TEXT) == ("[00:01.5] caller: my secret\n" * transcript)
    assert bool(lab.text(names.TRANSCRIPT_LINES)) is transcript


@pytest.mark.parametrize("full", [True, False])
def test_the_whole_number_is_kept_only_where_a_setting_says_so(full: bool) -> None:
    lab = Lab(ALL.model_copy(update={"full_numbers": full}))
    lab.record.sip(100.0, f"From: <sip:{CALLER}@x>".encode(), ("127.0.0.1", 1), ("127.0.0.1", 2))
    told = lab.record.close(REPORT, None)
    kept = str(told) + str(lab.batches)
    assert (CALLER in kept) is full
    assert ("12345678" in kept) is full
    assert told["from"] == (CALLER if full else "**********5678")


def test_the_figures_come_last_and_tell_of_alarms_and_connections() -> None:
    lab = Lab()
    lab.rings()
    lab.call.story.tell(Happening.ANSWERED)
    lab.call.story.tell(Happening.RECONNECTED, resumed=True, ms=300)
    lab.call.story.tell(Happening.ALARM, what="empty_turn")
    tokens = {"prompt": 147, "response": 36}
    told = lab.record.close(replace(REPORT, tokens=tokens), "a-model")
    assert json.loads(lab.batches[-1].whole[names.CALL]) == told
    assert told["gemini"] == {"model": "a-model", "sessions": 2, "tokens": tokens}
    assert (told["alarms"], told["codec"], told["id"]) == (["empty_turn"], "PCMA", lab.record.id)


def test_the_model_is_the_one_that_the_calls_plan_asked_for() -> None:
    lab = Lab()
    lab.call.progress.model = "another"
    assert lab.record.close(REPORT, "a-model")["gemini"]["model"] == "another"


def test_a_full_disk_ends_the_recording_with_one_alarm_and_not_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lab = Lab()
    heard: list[Event] = []
    lab.call.story.listen(heard.append)
    lab.rings()
    lab.ticks(FLUSH_FRAMES)
    for _ in range(3):
        lab.fail(OSError(errno.ENOSPC, "No space left on device"))
    lab.ticks(FLUSH_FRAMES * 2)
    told = lab.record.close(REPORT, None)
    assert len(lab.batches) == 1
    assert [dict(one.fields) for one in heard if one.what is Happening.ALARM] == [
        {"what": "recording_failed"}
    ]
    assert told["record"]["failed"] == "No space left on device"
    assert [one.levelname for one in caplog.records] == ["ERROR"]


def test_a_slow_disk_costs_batches_that_are_counted() -> None:
    lab = Lab()
    lab.answers()
    lab.takes = False
    lab.ticks(FLUSH_FRAMES * 2)
    lab.takes = True
    assert lab.record.close(REPORT, None)["record"] == {"dropped": 2, "failed": None}


def test_what_waits_is_bounded_before_the_answer_too() -> None:
    lab = Lab()
    for _ in range(WAITING_MAX * 2):
        lab.call.story.tell(Happening.RINGING)
    assert len(lab.batches) == 2


def test_the_answer_to_our_bye_comes_after_the_end_and_is_kept() -> None:
    lab = Lab()
    lab.record.close(REPORT, None)
    count = len(lab.batches)
    lab.record.sip(101.0, b"SIP/2.0 200 OK", ("127.0.0.1", 1), ("127.0.0.1", 2))
    assert [len(batch.packets) for batch in lab.batches[count:]] == [1]


def test_without_a_folder_nothing_is_tapped_and_the_figures_are_told() -> None:
    lab = Lab(RecordSettings(cdr="calls.jsonl"))
    assert lab.rings().taps == []
    assert lab.record.close(REPORT, None)["reason"] == "goodbye"
    assert lab.batches == []
