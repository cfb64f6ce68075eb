"""Blind transfer out: the gate is asked to connect the caller to somebody else."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from voicegate.dialling import NotDialled, dialled_uri
from voicegate.endings import HangupReason
from voicegate.logs import get_logger

if TYPE_CHECKING:
    from voicegate.call import Call

log = get_logger(__name__)

LAST_WORDS_S = 10.0
"""What the model says with it ("one moment, please") is heard first, for so long at most."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """What came of it."""

    ok: bool
    """The caller speaks to somebody else now, and this call ends."""
    status: int
    """What the gate told last: 200, a refusal, 408 where it told nothing in time."""
    why: str
    """In a few words, for the model; if not ok the call goes on."""


WHY = {
    408: "nobody answered in time",
    480: "nobody answered",
    486: "the line is busy",
    491: "another transfer is under way",
    404: "no such number",
    603: "declined",
}


async def transfer(call: "Call", target: str) -> Transferred:
    """Have the caller connected to that number, and end the call when it has come to be.

    If not, all goes on as it was.
    """
    try:
        uri = dialled_uri(target, str(call.dialog.source))
    except NotDialled as error:
        return Transferred(False, 400, str(error))
    await _last_words(call)
    call.transferring = True
    # cancelled (the caller spoke), the REFER goes on: what is told of it then counts all the same
    call.dialog.transferred_late = partial(_settled, call)
    status = await call.dialog.transfer(uri)
    ok = _settled(call, status)
    return Transferred(ok, status, "done" if ok else WHY.get(status, "it did not come about"))


def _settled(call: "Call", status: int) -> bool:
    """Take what the gate told last: whether the caller is connected, and this call ends."""
    call.transferring = False
    log.info("transfer told", status=status)
    ok = 200 <= status < 300
    if ok:
        call.end(HangupReason.TRANSFERRED)
    return ok


async def _last_words(call: "Call") -> None:
    media = call.progress.media
    if media is None:
        return
    try:
        async with asyncio.timeout(LAST_WORDS_S):
            await media.drained()
    except TimeoutError:
        pass  # the bound is the point: a model that speaks on does not keep the caller here
