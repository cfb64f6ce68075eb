"""The other end of the admin side: what `voicegate call` asks of a gateway that runs."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from voicegate.dialling import ANSWERED
from voicegate.endings import HangupReason
from voicegate.settings import AdminSettings

ANSWER_LIMIT_S = 30.0
"""Waited for so much longer than the callee's phone may ring: the model connects first."""
ANSWERED_CODE, FAILED, REFUSED, NOT_REACHED = 0, 1, 2, 3
"""The exit codes of `voicegate call`."""
WORDS: Mapping[str, str] = {
    ANSWERED: "is answered",
    HangupReason.BUSY: "is busy",
    HangupReason.DECLINED: "does not want the call",
    HangupReason.NOT_FOUND: "is no number that the gate knows",
    HangupReason.NO_ANSWER: "does not answer",
    HangupReason.NOT_ALLOWED: "may not be called with this account: see sip.username, sip.password",
    HangupReason.UNREACHABLE: "cannot be reached: the gate of sip.outbound is silent or fails",
    HangupReason.VOICE_REFUSED: "was not called: the model cannot be had, see the gateway's log",
    HangupReason.NO_PORT: "was not called: no RTP port is free, see media.rtp_ports",
    HangupReason.OPERATOR: "was given up by hand",
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of an order."""

    code: int
    """The exit code."""
    text: str
    """In plain words."""
    id: int | None = None
    """The call's number, for DELETE /calls/{id}; None where there is no call."""
    result: str = ""
    """As POST /calls says it."""


def place_of(admin: AdminSettings) -> str:
    """Say where the gateway of these settings is asked from its own host."""
    address = ipaddress.ip_address(admin.host)
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{host}:{admin.port}"


async def order_call(place: str, token: str, number: str, ring_limit_s: float) -> Ordered:
    """Have the gateway at that place call; wait until the call is answered or has failed."""
    limit = aiohttp.ClientTimeout(total=ring_limit_s + ANSWER_LIMIT_S)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        # proxies of the environment are for browsers: the gateway is next door
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=False, headers=headers) as http,
            http.post(f"{place}/calls", json={"number": number}) as answer,
        ):
            if answer.status == 401:
                return Ordered(REFUSED, "the gateway wants another token: set admin.token")
            told = await answer.json()
            return _understood(answer.status, told, number)
    except TimeoutError:
        return Ordered(NOT_REACHED, f"{place} took the order and does not say what came of it")
    except (aiohttp.ClientError, OSError, ValueError):
        why = f"no gateway answers at {place}. Mend: start voicegate serve, or name it by --admin"
        return Ordered(NOT_REACHED, why)


def _understood(status: int, told: dict[str, object], number: str) -> Ordered:
    if status != 200:
        code = FAILED if status == 503 else REFUSED
        return Ordered(code, f"the gateway refuses: {told.get('why', f'HTTP {status}')}")
    result, identity = str(told.get("result")), told.get("id")
    words = WORDS.get(result, f"is not connected ({result})")
    text = f"{number} {words}"
    code = ANSWERED_CODE if result == ANSWERED else FAILED
    return Ordered(code, text, identity if isinstance(identity, int) else None, result)
