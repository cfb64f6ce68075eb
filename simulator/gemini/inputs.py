"""What the peer's messages mean: speech, text, tool answers, and what each sets off (F7, F9)."""

import asyncio
from typing import TYPE_CHECKING, Any

from simulator.gemini import frames
from simulator.gemini.faults import (
    EXPLICIT_ACTIVITY,
    INVALID_ARGUMENT,
    MEDIA_CHUNKS,
    NOT_FOUND,
    Fault,
)
from simulator.gemini.protocol import ClientFrame
from simulator.gemini.vad import Activity

if TYPE_CHECKING:
    from simulator.gemini.conversation import FakeSession


class Inputs:
    """The receiving half of a conversation. Raises Fault for what this model refuses."""

    def __init__(self, session: "FakeSession") -> None:
        self.session = session
        self.utterances = 0
        self.pending_calls: dict[str, str] = {}
        """Tool calls of this connection without an answer: id to name."""
        self.lost_calls: dict[str, str] = {}
        """Those of the connection before it."""
        self.texts: list[str] = []
        """What the peer wrote, newest last (bounded)."""
        self._happened: dict[str, int] = {}
        self._calls = 0

    def take(self, frame: ClientFrame) -> None:
        """Take one message after the setup."""
        match frame.kind:
            case "realtimeInput":
                self._on_realtime(frame.body)
            case "clientContent":
                self._on_content(frame.body)
            case "toolResponse":
                self._on_answers(frame.body.get("functionResponses", []))

    def expect_answer(self, name: str, call_id: str) -> str:
        """Note a tool call that goes out; give its id."""
        self._calls += 1
        call_id = call_id or f"function-call-{self.session.number}-{self._calls}"
        self.pending_calls[call_id] = name
        return call_id

    def _on_realtime(self, body: dict[str, Any]) -> None:
        for key, value in body.items():
            match key:
                case "audio":
                    self._on_audio(value)
                case "mediaChunks":
                    self._on_media_chunks(value)
                case "text":
                    self._on_text(value)
                case "audioStreamEnd" if self.session.rules.stream_end_ends_speech:
                    self._on_activities(self.session.uplink.detector.end_speech())
                case "activityStart" | "activityEnd":
                    self._on_explicit_activity(key)

    def _on_audio(self, blob: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        self._on_activities(self.session.uplink.feed(blob, now))

    def _on_media_chunks(self, blobs: list[dict[str, Any]]) -> None:
        if not self.session.rules.takes_media_chunks:
            raise Fault(1007, MEDIA_CHUNKS, "F5")
        for blob in blobs:
            if blob.get("mimeType", "").startswith("audio/"):
                self._on_audio(blob)

    def _on_explicit_activity(self, key: str) -> None:
        detector = self.session.uplink.detector
        if detector.settings.enabled:
            raise Fault(1007, EXPLICIT_ACTIVITY, "F7")
        starts = key == "activityStart"
        if starts != detector.speaking:
            detector.speaking = starts
            kind = "ACTIVITY_START" if starts else "ACTIVITY_END"
            self._on_activities([Activity(kind, detector.audio_s)])

    def _on_activities(self, activities: list[Activity]) -> None:
        for activity in activities:
            if activity.kind == "ACTIVITY_START":
                self._on_speech_start(activity)
            else:
                self._on_speech_end()

    def _on_speech_start(self, activity: Activity) -> None:
        session = self.session
        session.note("event", "speech start", 0, f"at {activity.offset_s:.2f} s of audio")
        if session.rules.voice_activity:
            session.emit(frames.voice_activity(activity.kind, activity.offset_s))
        handling = session.setup.get("realtimeInputConfig", {}).get("activityHandling")
        if handling != "NO_INTERRUPTION":
            self._barge_in()

    def _barge_in(self) -> None:
        if self.session.floor.generating:
            self.session.interrupt()
        else:
            # What was only being thought of is never said.
            self.session.floor.cut_all()
        blocking = [call for call, name in self.pending_calls.items() if self._blocks(name)]
        if blocking:
            for call in blocking:
                del self.pending_calls[call]
            self.session.emit({"toolCallCancellation": {"ids": blocking}})

    def _blocks(self, name: str) -> bool:
        for tool in self.session.setup.get("tools", []):
            for declared in tool.get("functionDeclarations", []):
                if declared.get("name") == name and declared.get("behavior", "") != "":
                    return bool(declared["behavior"] == "BLOCKING")
        return self.session.rules.blocking_tools

    def _on_speech_end(self) -> None:
        session = self.session
        self.utterances += 1
        session.note("event", "speech end", 0, f"utterance {self.utterances}")
        if self.lost_calls and session.rules.silent_after_lost_calls:
            self.lost_calls.clear()
            return
        asked = "inputAudioTranscription" in session.setup
        wanted = asked or session.rules.always_transcribes
        self._set_off("speech", "", f"utterance {self.utterances}" if wanted else "")

    def _on_text(self, text: str) -> None:
        self.texts = [*self.texts[-99:], text]
        self._barge_in()
        self._set_off("text", text)

    def _on_content(self, body: dict[str, Any]) -> None:
        session = self.session
        if not session.rules.content_after_turn and session.turns_done:
            raise Fault(1007, INVALID_ARGUMENT, "F7")
        # The SDK on send_client_content: it interrupts any current model generation.
        self._barge_in()
        turns = body.get("turns", [])
        words = [part.get("text", "") for turn in turns for part in turn.get("parts", [])]
        self.texts = [*self.texts[-99:], *words]
        if body.get("turnComplete", False):
            self._set_off("text", " ".join(words))

    def _on_answers(self, answers: list[dict[str, Any]]) -> None:
        if not answers:
            raise Fault(1007, INVALID_ARGUMENT, "F7")
        for answer in answers:
            if "scheduling" in answer and not self.session.rules.scheduling:
                text = "Function response scheduling is not supported for this model."
                raise Fault(1007, text, "F7")
            call = answer.get("id", "")
            if self.lost_calls.pop(call, None) is not None:
                continue
            if call not in self.pending_calls:
                raise Fault(1008, NOT_FOUND, "F7")
            name = self.pending_calls[call]
            if not answer.get("willContinue", False):
                del self.pending_calls[call]
            self._set_off("tool", name)

    def _set_off(self, trigger: str, text: str, transcription: str = "") -> None:
        session = self.session
        index = self._happened.get(trigger, 0)
        self._happened[trigger] = index + 1
        actions = session.script.answer(trigger, session.number, index, text)
        if transcription and not any(action.name == "hear" for action in actions):
            session.hear(transcription)
        session.perform(actions, session.pacing.think_s)
