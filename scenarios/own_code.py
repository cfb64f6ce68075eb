"""What a user of the gateway writes: tools and a hook, named in the settings by their path."""

import asyncio
from collections.abc import Mapping

from voicegate.plan import CallFacts


async def order_status(number: str, call: CallFacts) -> dict[str, str]:
    """Looks up an order by its number."""
    return {"order": number, "state": "sent", "asked_by": call.caller}


def opening_hours() -> str:
    """Says when the shop is open."""
    return "nine to five"


async def slow() -> str:
    """Takes nine seconds."""
    await asyncio.sleep(9)
    return "at last"


async def endless() -> None:
    """Never ends."""
    await asyncio.Event().wait()


async def broken() -> None:
    """Has a bug."""
    raise RuntimeError("a bug of the user")


async def knows_callers(call: CallFacts) -> Mapping[str, object] | None:
    """Settle how a call is carried: the hook."""
    match call.caller:
        case "666":
            return {"refuse": 603}
        case "777":
            raise RuntimeError("a bug of the user")
        case "888":
            await asyncio.Event().wait()
        case "999":
            return {"no_such_key": 1}
    return {"voice": "Kore"} if call.header("X-Customer") else None


async def stubborn() -> None:
    """Does not let itself be cancelled for a second and a half."""
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(1.5)
