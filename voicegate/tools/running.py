"""ToolRuns: the tools that run in one call, each answered once and none left behind."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from voicegate.endings import SilenceClock
from voicegate.logs import get_logger
from voicegate.story import Happening, Story
from voicegate.tools.tool import OnCall, ToolFailed, Toolset, as_result
from voicegate.user_code import TookTooLong, outcome_of
from voicegate.voice.session import (
    ToolCall,
    ToolCancelled,
    VoiceError,
    VoiceEvent,
    VoiceSession,
)

log = get_logger(__name__)

MAX_OPEN = 64
"""Tool calls that wait for an answer at once; what a model asks for beyond is dropped, counted."""
IDS_KEPT = 256
"""So many ids are known again when the service repeats a tool call."""
LETTING_GO_S = 2.0
"""A tool that was cancelled has so long to end before the call ends without it."""


class ToolRuns:
    """The tools of one call. They never hold up the sound: each runs as a task of its own."""

    def __init__(
        self,
        toolset: Toolset,
        voice: VoiceSession,
        on: OnCall,
        *,
        silence: SilenceClock,
        story: Story,
    ) -> None:
        self.dropped = 0
        self._tools = toolset.tools
        self._voice = voice
        self._on = on
        self._silence = silence
        self._story = story
        self._limits = toolset.limits
        self._loop = asyncio.get_running_loop()
        owner = asyncio.current_task()
        self._owner_name = owner.get_name() if owner else "call"
        self._seen: deque[str] = deque(maxlen=IDS_KEPT)
        self._running = 0
        self._open: dict[str, asyncio.Task[None]] = {}

    def heed(self, event: VoiceEvent) -> None:
        """Begin or cancel what the model asks for."""
        match event:
            case ToolCall():
                self._begin(event)
            case ToolCancelled(ids):
                for call_id in ids:
                    self._cancel(call_id)

    def _begin(self, call: ToolCall) -> None:
        if call.id in self._seen:
            log.warning("a tool call came twice", tool=self._known(call.name))
            return
        if len(self._open) >= MAX_OPEN:
            self.dropped += 1
            log.warning("too many tool calls, dropped", dropped=self.dropped)
            return
        self._seen.append(call.id)
        self._story.tell(Happening.TOOL_CALLED, name=call.name[:64], id=call.id)
        self._silence.pause()
        name = f"{self._owner_name}/tool-{self._known(call.name)}"
        task = asyncio.create_task(self._carry(call), name=name)
        self._open[call.id] = task
        task.add_done_callback(partial(self._closed, call.id))

    def _cancel(self, call_id: str) -> None:
        if (task := self._open.get(call_id)) is not None:
            task.cancel()
            self._story.tell(Happening.TOOL_CANCELLED, id=call_id)

    def _closed(self, call_id: str, task: asyncio.Task[None]) -> None:
        del self._open[call_id]
        self._silence.resume(self._loop.time())
        if not task.cancelled() and (error := task.exception()):
            log.error("a tool call was not answered", exc_info=error)

    async def _carry(self, call: ToolCall) -> None:
        """Run the tool and answer; only the end of the call and a cancellation prevent that."""
        began_at = self._loop.time()
        result = await self._result(call)
        try:
            await self._voice.send_tool_result(call.id, call.name, result)
        except VoiceError:
            return  # the conversation is over, and the call learns of it elsewhere
        ms = round((self._loop.time() - began_at) * 1000)
        ok = "error" not in result
        self._story.tell(Happening.TOOL_ANSWERED, name=call.name[:64], id=call.id, ms=ms, ok=ok)
        log.info("tool answered", tool=self._known(call.name), ms=ms, ok=ok)

    async def _result(self, call: ToolCall) -> Mapping[str, object]:
        """Give what the model is told: the result, or what went wrong."""
        tool = self._tools.get(call.name)
        if tool is None:
            return {"error": "there is no tool of this name"}
        if self._running >= self._limits.at_once:
            return {"error": "too many tools run at once: wait for their results, then try again"}
        self._running += 1
        try:
            outcome = await outcome_of(tool.run(call.arguments, self._on), tool.timeout_s)
        finally:
            self._running -= 1
        if isinstance(outcome, ToolFailed | TookTooLong):
            log.warning("tool failed", tool=call.name, why=str(outcome))
            return {"error": str(outcome)}
        if not isinstance(outcome, BaseException):
            try:
                return as_result(outcome, self._limits.max_result_chars)
            except ValueError as error:
                outcome = error
        log.error("fault in a tool", tool=call.name, exc_info=outcome)
        return {"error": "the tool failed"}

    def _known(self, name: str) -> str:
        """Give a name that is fit for a log: the model may say anything."""
        return name if name in self._tools else "unknown"

    async def end(self) -> None:
        """Cancel what still runs and wait until it has ended, bounded."""
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LETTING_GO_S)
        for task in tasks:
            if not task.done():
                log.error("a tool does not end when it is cancelled", task=task.get_name())


@asynccontextmanager
async def running(runs: ToolRuns) -> AsyncIterator[ToolRuns]:
    """Own the tools' tasks: they are over, bounded in time, when the block is left."""
    try:
        yield runs
    finally:
        await runs.end()
