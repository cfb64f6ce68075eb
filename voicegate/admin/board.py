"""The board of calls: what is known of each that runs, and of the last ones that are over."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from voicegate.admin.complaints import Complaints
from voicegate.admin.meter import Meter
from voicegate.admin.tally import Tally
from voicegate.report import CallReport, masked
from voicegate.story import Event, Happening

if TYPE_CHECKING:
    from voicegate.call import Call

RECENT_CALLS = 50
LINES = 6
LINE_CHARS = 400
STUCK_S = 300.0
"""A call that is not over so long after it should be is stuck."""
SPEAKERS = {Happening.CALLER_SAID: "caller", Happening.MODEL_SAID: "model"}
SPEAKS = {
    Happening.CALLER_SPEAKS: ("caller", True),
    Happening.CALLER_SILENT: ("caller", False),
    Happening.MODEL_SPEAKS: ("model", True),
    Happening.MODEL_SILENT: ("model", False),
}
PHASES = {
    Happening.RINGING: "ringing",
    Happening.ANSWERED: "talking",
    Happening.HELD: "held",
    Happening.RESUMED: "talking",
    Happening.RECONNECTING: "reconnecting",
    Happening.RECONNECTED: "talking",
}


class Watch:
    """Follows one call by its story and the tap of its media."""

    def __init__(self, number: int, call: "Call", tally: Tally, meter: Meter) -> None:
        self.number = number
        self.call = call
        self.meter = meter
        self.stuck = False
        self.lines: deque[dict[str, str]] = deque(maxlen=LINES)
        self._tally = tally
        self._phase = "arriving"
        self._speaks = {"caller": False, "model": False}
        self._caller_began_at: float | None = None
        self._over_at: float | None = None
        call.story.listen(self.heed)

    def heed(self, event: Event) -> None:
        """Take what happened."""
        what = event.what
        self._phase = PHASES.get(what, self._phase)
        if what is Happening.RINGING and (media := self.call.progress.media):
            media.tap(self.meter.tap)
        elif what in SPEAKS:
            who, speaks = SPEAKS[what]
            self._speaks[who] = speaks
            if what is Happening.CALLER_SPEAKS:
                self._caller_began_at = event.at_s
        elif what in SPEAKERS:
            self._write(SPEAKERS[what], str(event.fields.get("text", "")))
        else:
            self._note(event)

    def _note(self, event: Event) -> None:
        match event.what:
            case Happening.INTERRUPTED if self._caller_began_at is not None:
                self._tally.barge_in_stop.add(event.at_s - self._caller_began_at)
                self._caller_began_at = None
            case Happening.TOOL_CALLED:
                self.lines.append({"who": "tool", "text": str(event.fields.get("name", ""))})
            case Happening.RECONNECTED:
                self._tally.reconnects += 1
            case Happening.ALARM:
                self._tally.alarms[str(event.fields.get("what", "unnamed"))] += 1

    def _write(self, who: str, text: str) -> None:
        """Join a fragment to the line of the one who is speaking, or begin a line."""
        if not self.lines or self.lines[-1]["who"] != who:
            self.lines.append({"who": who, "text": text})
        else:
            self.lines[-1]["text"] = (self.lines[-1]["text"] + text)[-LINE_CHARS:]

    def overdue_s(self, now: float, max_duration_s: float) -> float:
        """Give how long ago the call should have been over; negative while it may go on."""
        if self._over_at is None and self.call.is_over:
            self._over_at = (
                now if self.call.progress.over_at is None else self.call.progress.over_at
            )
        due_at = self.call.dialog.received_at + max_duration_s
        return now - (due_at if self._over_at is None else self._over_at)

    def picture(self, now: float) -> dict[str, Any]:
        """Give what the page and `GET /calls` show."""
        dialog, media = self.call.dialog, self.call.progress.media
        return {
            "number": self.number,
            "call_id": dialog.call_id,
            "caller": masked(dialog.caller),
            "called": masked(dialog.called) if dialog.is_ours else dialog.called,
            "direction": "out" if dialog.is_ours else "in",
            "state": "closing" if self.call.is_over else self._phase,
            "speaks": [who for who, speaks in self._speaks.items() if speaks],
            "seconds": int(now - dialog.received_at),
            "codec": media.codec_name if media else None,
            "levels": {"caller": self.meter.caller.look(), "model": self.meter.model.look()},
            "transcript": list(self.lines),
        }


class Board:
    """All watches, what is left of the last calls, and what the calls add up to."""

    def __init__(self, clock: Callable[[], float], max_duration_s: float) -> None:
        self.tally = Tally()
        self.complaints = Complaints()
        self.viewers = 0
        """Browsers that look at the live page now."""
        self.browser_drops = 0
        """Pictures that a browser was too slow for."""
        self.running: dict[int, Watch] = {}
        self.ended_calls = 0
        self._clock = clock
        self._max_duration_s = max_duration_s
        self._recent: deque[tuple[float, dict[str, Any]]] = deque(maxlen=RECENT_CALLS)

    def allow(self, max_duration_s: float) -> None:
        """Learn how long calls may last from now on; a call that began before may have longer."""
        self._max_duration_s = max(self._max_duration_s, max_duration_s)

    @contextmanager
    def watching(self, number: int, call: "Call") -> Iterator[None]:
        """Follow a call for as long as the block runs."""
        meter = Meter(lambda: self.viewers > 0)
        self.running[number] = Watch(number, call, self.tally, meter)
        try:
            yield
        finally:
            del self.running[number]

    def ended(self, report: CallReport) -> None:
        """Take the report of a call that is being watched."""
        self.look_for_stuck()
        meter = self.running[report.number].meter
        answered = report.setup_ms is not None
        lanes = {"in": meter.caller.sound_dbfs, "out": meter.model.sound_dbfs} if answered else {}
        self.tally.add(report, lanes)
        self.ended_calls += 1
        self._recent.appendleft((self._clock(), report.as_json() | {"levels": lanes}))

    def look_for_stuck(self) -> None:
        """Count each call once that is not over long after it should be."""
        for watch in self.running.values():
            overdue_s = watch.overdue_s(self._clock(), self._max_duration_s)
            if overdue_s > STUCK_S and not watch.stuck:
                watch.stuck = True
                self.tally.stuck += 1

    def pictures(self) -> list[dict[str, Any]]:
        """Give what is known of the running calls, the oldest first."""
        now = self._clock()
        return [watch.picture(now) for watch in self.running.values()]

    def recent(self) -> list[dict[str, Any]]:
        """Give the last calls that are over, the latest first."""
        now = self._clock()
        return [kept | {"ended_s_ago": round(now - at)} for at, kept in self._recent]
