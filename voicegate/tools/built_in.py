"""The gateway's own tools; one more is a function and a line in BUILT_IN."""

from collections.abc import Mapping

from voicegate.tools.tool import CallableTool, OnCall, ToolFailed
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


async def _send_dtmf(arguments: Mapping[str, object], on: OnCall) -> object:
    digits = str(arguments.get("digits", "")).upper()
    try:
        on.media.send_digits(digits)
    except ValueError as error:
        raise ToolFailed(str(error)) from error
    return f"{len(digits)} keys are being pressed"


SEND_DTMF = CallableTool(
    Tool(
        "send_dtmf",
        "Presses keys of the telephone, to answer a menu of the other side.",
        {
            "type": "object",
            "properties": {
                "digits": {"type": "string", "description": "0 to 9, *, # and A to D, such as 12#"}
            },
            "required": ["digits"],
        },
    ),
    _send_dtmf,
    TIMEOUT_S,
)
BUILT_IN: Mapping[str, CallableTool] = {one.tool.name: one for one in (HANG_UP, SEND_DTMF)}
