"""`POST /calls` and `DELETE /calls/{id}`: calls that the operator makes and ends."""

import json
from typing import TYPE_CHECKING

from aiohttp import web

from voicegate.dialling import Busy, NotDialled, outcome
from voicegate.endings import HangupReason

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

RETRY_AFTER_S = 5


class Orders:
    """What an operator orders."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    async def call(self, request: web.Request) -> web.Response:
        """Call {"number": ...} and answer when it is answered, or why it was not."""
        try:
            asked = await request.json()
        except json.JSONDecodeError:
            return _refused(400, "the body must be a JSON object")
        if not isinstance(asked, dict):
            return _refused(400, "the body must be a JSON object")
        number = asked.get("number")
        if not isinstance(number, str):
            return _refused(400, "number must be a text")
        try:
            identity, call = await self._gateway.dialling.dial(number)
        except Busy as error:
            return _refused(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        except NotDialled as error:
            return _refused(400, str(error))
        return web.json_response({"id": identity, "result": await outcome(call)})

    async def end(self, request: web.Request) -> web.Response:
        """Hang up (give up, refuse) a call by its number."""
        text = request.match_info["id"]
        call = self._gateway.calls.get(int(text)) if text.isdecimal() and len(text) < 16 else None
        if call is None:
            return _refused(404, "no such call")
        call.end(HangupReason.OPERATOR)
        return web.Response(status=204)


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"why": why}, status=status, headers=headers)
