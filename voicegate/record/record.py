"""The record of one call: listens to it, and once a second hands on what is to be kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicegate.logs import get_logger
from voicegate.media.codec import FRAME_MS
from voicegate.record import names, pcap
from voicegate.record.disk import Batch
from voicegate.record.figures import Facts, figures
from voicegate.record.tape import Tape
from voicegate.record.transcript import Transcript, as_json, as_text
from voicegate.report import CallReport, masked
from voicegate.settings import RecordSettings
from voicegate.story import Event, Happening

if TYPE_CHECKING:
    from voicegate.call import Call
    from voicegate.media.session import MediaSession

log = get_logger(__name__)

FLUSH_FRAMES = 1000 // FRAME_MS
"""A killed process loses a second, and what the tape holds back."""
WAITING_MAX = 500
"""Lines and packets that wait for the next second; more are handed on at once."""
ALARMS_KEPT = 100
PRIVATE = ("text", "digit")
"""Fields of the story that are kept where the transcript is, and nowhere else."""
RECORDING_FAILED = "recording_failed"
"""The alarm's word."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The loop's clock, and what stood on the wall when it showed `zero_s`."""

    now: Callable[[], float]
    """Loop time."""
    zero_s: float
    """A loop time."""
    zero: datetime
    """The date and time at it."""

    def wall(self, at_s: float) -> datetime:
        """Give the date and time of a loop time."""
        return self.zero + timedelta(seconds=at_s - self.zero_s)


Put = Callable[[Batch, Callable[[OSError], None], bool], bool]
"""Hands a batch on, with whom to tell of its failure and whether it is the last; False: dropped."""


class CallRecord:
    """Follows one call. It never waits, and no trouble of its own ends the call."""

    def __init__(
        self, call: Call, number: int, clock: Clock, settings: RecordSettings, put: Put
    ) -> None:
        began = clock.wall(call.dialog.received_at)
        self.id = names.record_id(began, number, call.dialog.call_id)
        self.dropped = 0
        """Batches dropped, since the disk was too slow."""
        self.failed: str | None = None
        """Why the recording ended before the call."""
        self._settings = settings
        self._put = put
        self._clock, self._began, self._since_s = clock, began, call.dialog.received_at
        self._answered_s: float | None = None
        self._folder = Path(settings.dir) / (names.day_folder(self.id) or "") / self.id
        self._number = call.dialog.caller
        self._call: Call | None = call
        self._media: MediaSession | None = None
        self._codec: str | None = None
        self._tape = Tape()
        self._frames = 0
        self._transcript = Transcript()
        self._lines: list[tuple[str, str]] = []
        self._packets: list[pcap.Packet] = []
        self._alarms: list[str] = []
        self._reconnected = 0
        call.story.listen(self._heed)

    # What happens in the call

    def sip(self, at_s: float, data: bytes, source: pcap.Address, target: pcap.Address) -> None:
        """Take a SIP message of this call, one that comes after its end too."""
        if not self._settings.full_numbers:
            data = pcap.masked(data, self._number)
        self._packet(at_s, data, source, target)
        if self._call is None:
            self._hand_on(last=True)

    def close(self, report: CallReport, model: str | None) -> dict[str, Any]:
        """Take the call's end; write what is left and give its figures.

        `model` is the configured one; None where the voice has none.
        """
        asked_for = self._call.progress.model if self._call else ""
        gemini = {
            "model": asked_for or model,
            "sessions": self._sessions,
            "tokens": report.tokens,
        }
        facts = Facts(
            record=self.id,
            caller=self._number if self._settings.full_numbers else masked(self._number),
            began=self._began,
            codec=self._codec,
            alarms=tuple(self._alarms),
            gemini=None if model is None else gemini,
            dropped=self.dropped,
            failed=self.failed,
        )
        told = figures(report, facts)
        self._hand_on(last=True, whole={names.CALL: json.dumps(told, ensure_ascii=False, indent=1)})
        self._call = self._media = None
        return told

    def _heed(self, event: Event) -> None:
        """Listen to the story."""
        self._follow_media()
        if event.what is Happening.ANSWERED:
            self._answered_s = event.at_s
        elif event.what is Happening.RECONNECTED:
            self._reconnected += 1
        elif event.what is Happening.ALARM and len(self._alarms) < ALARMS_KEPT:
            self._alarms.append(str(event.fields["what"]))
        self._note(event)
        if self._settings.transcript:
            self._note_words(event)
        if len(self._lines) >= WAITING_MAX:
            self._hand_on()

    def _note(self, event: Event) -> None:
        kept = {
            name: value
            for name, value in event.fields.items()
            if self._settings.transcript or name not in PRIVATE
        }
        line = {"at": self._wall(event.at_s), "t_s": round(event.at_s - self._since_s, 3)}
        text = json.dumps({**line, "event": event.what.value, **kept}, ensure_ascii=False)
        self._lines.append((names.EVENTS, text + "\n"))

    def _note_words(self, event: Event) -> None:
        since_s = self._since_s if self._answered_s is None else self._answered_s
        for said in self._transcript.take(event):
            self._lines.append((names.TRANSCRIPT_TEXT, as_text(said, since_s)))
            self._lines.append((names.TRANSCRIPT_LINES, as_json(said, since_s, self._wall)))

    def _follow_media(self) -> None:
        """Tap the media as soon as there are any."""
        if self._media is not None or self._call is None or self._call.progress.media is None:
            return
        self._media = self._call.progress.media
        self._codec = self._media.codec_name
        if self._settings.dir:
            self._media.tap(self._tick)
            if self._settings.pcap:
                self._media.tap_packets(self._rtp)

    def _tick(self, heard: bytes, said: bytes, now: float) -> None:
        """Take both frames of a tick."""
        media = self._media
        if media is None or self.failed is not None:
            return
        if self._settings.audio and self._answered_s is not None:  # nothing is said before
            self._tape.add(heard, said, now, media.hearing_delay_ms / 1000)
        self._frames += 1
        if self._frames % FLUSH_FRAMES == 0:
            self._codec = media.codec_name
            self._hand_on()

    def _rtp(self, data: bytes, source: pcap.Address, target: pcap.Address) -> None:
        self._packet(self._clock.now(), data, source, target)

    def _packet(self, at_s: float, data: bytes, source: pcap.Address, target: pcap.Address) -> None:
        self._packets.append(pcap.Packet(self._clock.wall(at_s).timestamp(), source, target, data))
        if len(self._packets) >= WAITING_MAX:
            self._hand_on()

    # On to the disk

    def _hand_on(self, *, last: bool = False, whole: dict[str, str] | None = None) -> None:
        """Give the writer what has gathered."""
        audio = self._tape.take(all_of_it=last)
        lines: dict[str, str] = {}
        for name, text in self._lines:
            lines[name] = lines.get(name, "") + text
        packets = tuple(self._packets)
        self._lines.clear()
        self._packets.clear()
        gathered = audio or lines or packets or whole
        if not gathered or not self._settings.dir or self.failed is not None:
            return
        batch = Batch(self._folder, audio, self._codec or "", lines, packets, whole or {})
        if not self._put(batch, self._fail, last):
            self.dropped += 1

    def _fail(self, error: OSError) -> None:
        """Learn that the disk took no more: the recording ends here, the call goes on."""
        if self.failed is not None:
            return
        self.failed = error.strerror or str(error)
        log.error("recording ended", record=self.id, why=self.failed)
        if self._call is not None:
            self._call.story.tell(Happening.ALARM, what=RECORDING_FAILED)

    @property
    def _sessions(self) -> int:
        """Connections of the voice, the first one with them."""
        return 0 if self._answered_s is None else 1 + self._reconnected

    def _wall(self, at_s: float) -> str:
        return self._clock.wall(at_s).isoformat(timespec="milliseconds")
