"""The gateway's own tools; one more is a function and a line in BUILT_IN."""

from collections.abc import Mapping

from voicegate.tools.tool import CallableTool, OnCall
from voicegate.voice.session import Tool

TIMEOUT_S = 5.0


async def _hang_up(_arguments: Mapping[str, object], on: OnCall) -> object:
    on.talk.hang_up_asked()
    return "the call ends as soon as the caller has heard you"


HANG_UP = CallableTool(
    Tool("hang_up", "Ends the telephone call. Say goodbye first, then call this.", {}),
    _hang_up,
    TIMEOUT_S,
)
BUILT_IN: Mapping[str, CallableTool] = {one.tool.name: one for one in (HANG_UP,)}
