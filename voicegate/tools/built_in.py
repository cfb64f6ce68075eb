"""The gateway's own tools; one more is a function and a line below."""

from collections.abc import Mapping

from voicegate.settings import ToolsSettings
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
TRANSFER_CALL = "transfer_call"
TRANSFER_TIMEOUT_S = 105.0
"""Longer than the model's last words and the gate's patience with the new line together."""


def transfer_call(targets: Mapping[str, str]) -> CallableTool:
    """Give the tool that connects the caller to one of these, by name, and to nobody else."""

    async def run(arguments: Mapping[str, object], on: OnCall) -> object:
        number = targets.get(str(arguments.get("to", "")))
        if number is None:
            raise ToolFailed(f"to must be one of {', '.join(targets)}")
        result = await on.transfer(number)
        if not result.ok:
            raise ToolFailed(f"{result.why}; the caller is still here and hears you")
        return "the caller is connected, and this call ends"

    return CallableTool(
        Tool(
            TRANSFER_CALL,
            "Connects the caller to somebody else. Say so first, then call this. If it fails, the"
            " caller is still with you: say what went wrong.",
            {
                "type": "object",
                "properties": {"to": {"type": "string", "enum": list(targets)}},
                "required": ["to"],
            },
        ),
        run,
        TRANSFER_TIMEOUT_S,
    )


BUILT_IN: Mapping[str, CallableTool] = {one.tool.name: one for one in (HANG_UP, SEND_DTMF)}
"""Those that need no setting."""


def built_in_tools(settings: ToolsSettings) -> Mapping[str, CallableTool]:
    """Give all of them by name, made as the settings say."""
    return {**BUILT_IN, TRANSFER_CALL: transfer_call(settings.transfer_to)}
