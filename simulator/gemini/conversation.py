"""One connection to the fake service: reads, judges, answers."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from simulator.audio.heard import Heard
from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound
from simulator.gemini import frames, protocol, script
from simulator.gemini.access import Access
from simulator.gemini.connection import Connection
from simulator.gemini.faults import SETUP_FIRST, Fault, Violation
from simulator.gemini.inputs import Inputs
from simulator.gemini.journal import Entry, as_text
from simulator.gemini.life import accept_setup
from simulator.gemini.outbox import Outbox
from simulator.gemini.performance import Performance
from simulator.gemini.resumption import Conversation
from simulator.gemini.rules import V38, ModelRules
from simulator.gemini.turns import Floor, Pacing, Turn
from simulator.gemini.uplink import Uplink, UplinkStats, write_lanes
from simulator.gemini.vad import VadSettings

if TYPE_CHECKING:
    from simulator.gemini.server import FakeGemini

RUNS_MAX = 64


class FakeSession:
    """One conversation as the service sees it. All verbs act at once and may be used live."""

    def __init__(self, gemini: "FakeGemini", ws: Connection, number: int, access: Access):
        self.gemini = gemini
        self.number = number
        self.identity = gemini.identity_of(number)
        """The identity in its stamps."""
        self.access = access
        self.script = gemini.script_for(access.key)
        self.setup: dict[str, Any] = {}
        """The setup message, camelCase; empty until it came."""
        self.rules: ModelRules = V38
        self.pacing: Pacing = gemini.pacing
        self.spoken = Heard()
        """What it said, placed where a listener in real time hears it."""
        self.received: Counter[str] = Counter()
        """Messages by kind: setup, audio, text, audioStreamEnd, clientContent, ..."""
        self.sent: Counter[str] = Counter()
        """Frames by kind: setupComplete, modelTurn, turnComplete, ..."""
        self.violations: list[Violation] = []
        self.opened_at_s = asyncio.get_running_loop().time()
        self.ready_at_s: float | None = None
        """Loop time of setupComplete."""
        self.closed_at_s: float | None = None
        self.closed: tuple[int, str] | None = None
        """Close code and reason as the connection ended; 1006 without a close frame."""
        self.floor = Floor()
        self.uplink = Uplink(VadSettings())
        self.inputs = Inputs(self)
        self.conversation = Conversation("")
        self.resumed_from: int | None = None
        """Number of the connection that it goes on with."""
        self.turns_done = 0
        self.dropped_runs = 0
        self._ws = self.wire = ws
        """Its connection, to be made slow, half-open or worse."""
        self._outbox = Outbox(ws, self._on_sent, gemini.close_timeout_s)
        self._tasks: list[asyncio.Task[None]] = []
        self._group = asyncio.TaskGroup()
        self._billed_s = 0.0

    @property
    def heard(self) -> Heard:
        """What came from the caller, decoded, placed at arrival time."""
        return self.uplink.heard

    @property
    def uplink_stats(self) -> UplinkStats:
        """Pace of the caller's audio."""
        return self.uplink.stats

    @property
    def dropped_frames(self) -> int:
        """Frames that were not sent: the peer read nothing, or was being closed."""
        return self._outbox.dropped

    @property
    def utterances(self) -> int:
        """Utterances of the caller that ended."""
        return self.inputs.utterances

    async def run(self) -> None:
        """Carry the conversation until its connection is gone."""
        try:
            async with self._group:
                self.own(self._outbox.drain(), "writer")
                try:
                    await self._converse()
                finally:
                    self._outbox.release()
                    for task in self._tasks:
                        task.cancel()
        except BaseExceptionGroup as group:
            # An error of a script or of ours: told by `check()` and at the end of the fake.
            self.gemini.errors.append(group)
            raise
        finally:
            self._end()

    async def _converse(self) -> None:
        try:
            try:
                self.setup = (await self._first_frame()).body
                accept_setup(self)
                while True:
                    self._receive(await self._ws.recv())
            except Fault as fault:
                self.violate(fault)
                while True:
                    await self._ws.recv()
        except ConnectionClosed:
            return

    async def _first_frame(self) -> protocol.ClientFrame:
        try:
            async with asyncio.timeout(self.gemini.setup_timeout_s):
                data = await self._ws.recv()
        except TimeoutError:
            raise Fault(1007, SETUP_FIRST, "F4") from None
        frame = self._read(data)
        if frame.kind != "setup":
            raise Fault(1007, SETUP_FIRST, "F4")
        return frame

    def _end(self) -> None:
        self.closed_at_s = asyncio.get_running_loop().time()
        self.closed = (int(self._ws.close_code or 1006), self._ws.close_reason or "")
        self.conversation.open, self.conversation.ended_at_s = False, self.closed_at_s
        self.conversation.pending_calls = dict(self.inputs.pending_calls)
        self.note("event", "closed", 0, f"{self.closed[0]} {self.closed[1]}".strip())

    def own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run something that ends with the connection."""
        task = self._group.create_task(work, name=f"gemini-{self.number}/{name}")
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    def _read(self, data: str | bytes) -> protocol.ClientFrame:
        kind = ""
        try:
            frame = protocol.parse(data)
            kind = frame.label
        except Fault:
            kind = protocol.first_key(data)
            raise
        finally:
            self.received[kind] += 1
            self.note("in", kind, len(data), "" if kind == "audio" else as_text(data))
        return frame

    def _receive(self, data: str | bytes) -> None:
        frame = self._read(data)
        if frame.kind == "setup":
            raise Fault(1007, SETUP_FIRST, "F4")
        if not self._outbox.closing:
            self.inputs.take(frame)

    def violate(self, fault: Fault) -> None:
        """Note what the peer did wrong, and close as the service does."""
        now = asyncio.get_running_loop().time()
        text = f"{fault.code} {fault.reason}"
        self.violations.append(Violation(fault.rule, text, self.number, now))
        self.note("event", "violation", 0, f"{fault.rule}: {text}")
        self.floor.cut_all()
        self.close(fault.code, fault.reason)

    def emit(self, frame: frames.Frame) -> None:
        """Send one frame (binary unless the fake is set to text)."""
        data = frames.encode(frame)
        kind = frames.kind_of(frame)
        self._outbox.put(data if self.gemini.binary else data.decode(), kind)

    def send_audio(self, chunk: Pcm, at_s: float) -> None:
        """Send a piece of speech that a listener hears at `at_s`."""
        if not self._outbox.closing:
            self.spoken.add(chunk, frames.AUDIO_RATE_HZ, at_s)
            self.emit(frames.audio(chunk.astype("<i2").tobytes()))

    def send_transcript(self, text: str) -> None:
        """Send a piece of output transcription, if the setup asked for it."""
        if "outputAudioTranscription" in self.setup:
            self.transcript(text)

    def tell_handle(self, *, resumable: bool) -> None:
        """Send a resumption update, if the setup asked for them."""
        if "sessionResumption" in self.setup:
            handle = self.gemini.handles.issue(self.conversation) if resumable else ""
            self.emit(frames.resumption(handle))

    def turn_started(self) -> None:
        """Tell that nothing can be resumed while generating."""
        self.tell_handle(resumable=False)

    def turn_completed(self, turn: Turn, reason: str = "") -> None:
        """Send turnComplete with the usage since the last turn."""
        heard_s = self.uplink.stats.audio_ms / 1000
        usage = frames.usage(heard_s - self._billed_s, turn.spoken_s)
        self._billed_s = heard_s
        self.turns_done += 1
        self.emit(
            frames.turn_complete(usage, reason, self.rules.status(bool(self.inputs.pending_calls)))
        )
        self.tell_handle(resumable=not self.inputs.pending_calls)

    def perform(self, actions: Iterable[script.Action], think_s: float = 0.0) -> None:
        """Run a row of actions beside all else; speech waits for its turn."""
        actions = tuple(actions)
        if len(self._tasks) >= RUNS_MAX or self._outbox.closing:
            self.dropped_runs += 1
        elif actions:
            self.own(Performance(self, think_s).run(actions), "script")

    def say(self, sound: Sound, text: str = "", pacing: Pacing | None = None) -> None:
        """Speak a turn, after those that were asked for earlier."""
        self.perform([script.say(sound, text, pacing)])

    def transcript(self, text: str) -> None:
        """Send an output transcription now."""
        self.emit(script.output_frame(text))

    def hear(self, text: str) -> None:
        """Send an input transcription now: what the caller is said to have said."""
        self.emit(frames.content(inputTranscription={"text": text}))

    def interrupt(self) -> None:
        """Cut what is spoken and tell so; a phantom when nothing is."""
        self.floor.cut_all()
        self.turns_done += 1
        self.emit(frames.content(interrupted=True))
        # An interrupted turn has no generationComplete (google.genai.types).
        self.emit(frames.turn_complete({}, "", self.rules.status(bool(self.inputs.pending_calls))))
        self.tell_handle(resumable=not self.inputs.pending_calls)

    def tool_call(self, name: str, call_id: str = "", **arguments: Any) -> str:
        """Ask for a function of the peer; give the call's id."""
        call_id = self.inputs.expect_answer(name, call_id)
        self.emit(frames.tool_call(call_id, name, arguments))
        return call_id

    def go_away(self, time_left_s: float) -> None:
        """Warn that the connection will be closed; closes nothing by itself."""
        self.emit({"goAway": {"timeLeft": frames.duration(time_left_s)}})

    def raw(self, frame: bytes | str | frames.Frame) -> None:
        """Send a frame as it stands; str goes as a text frame, a dict as JSON."""
        if isinstance(frame, dict):
            self.emit(frame)
        else:
            self._outbox.put(frame, "raw")

    def stall(self, seconds: float) -> None:
        """Hold back everything for a while, as a slow network does."""
        self._outbox.stall(seconds)

    def pong(self, delay_s: float | None) -> None:
        """Answer pings so late from now on; None: never."""
        self._ws.delay_pongs(delay_s)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; the reason is cut to 123 octets. 1006 is `abort`."""
        self._outbox.close(code, reason)

    def abort(self) -> None:
        """Cut the TCP connection without a word."""
        self._outbox.abort()

    def save_audio(self, path: Path) -> None:
        """Write a stereo WAV at 16 kHz: the caller left, the model right, on one timeline."""
        write_lanes(path, self.heard, self.spoken)

    async def until(self, condition: Callable[[], bool], within_s: float = 30.0) -> None:
        """Wait until something is true of it. Raises TimeoutError."""
        await self.gemini.until(condition, within_s)

    def note(self, direction: str, kind: str, size: int, detail: str = "") -> None:
        """Write a line into the journal."""
        now = asyncio.get_running_loop().time()
        self.gemini.journal.add(Entry(now, self.number, direction, kind, size, detail))
        self.gemini.pulse.beat()

    def _on_sent(self, data: bytes | str, kind: str) -> None:
        self.sent[kind] += 1
        self.note("out", kind, len(data), "" if kind == "modelTurn" else as_text(data))
