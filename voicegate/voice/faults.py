"""What can go wrong with the service, in plain words, and what is worth another try. Pure."""

from google.genai.errors import APIError
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

PERMANENT_STATUS = (400, 401, 403, 404)
"""HTTP refusals that the same request meets again."""
PERMANENT_CODES = (1007, 1008)
"""Close codes that say: this set-up is wrong (invalid argument, policy)."""
NETWORK_ERRORS = (OSError, InvalidHandshake)
"""DNS, TCP, TLS and HTTP upgrade; `TimeoutError` and `ssl.SSLError` are kinds of OSError."""


def is_permanent(error: BaseException) -> bool:
    """Say whether the same attempt would fail again: a matter of key, model or set-up."""
    if isinstance(error, InvalidStatus):
        return error.response.status_code in PERMANENT_STATUS
    return isinstance(error, APIError) and error.code in PERMANENT_CODES


def describe(error: BaseException) -> str:
    """Say what happened and, where it is known, what to mend."""
    match error:
        case InvalidStatus():
            status = error.response.status_code
            return f"Gemini refused the connection: HTTP {status}{_hint(status)}"
        case APIError():
            return f"Gemini closed the conversation: {error.code} {_reason(error)}".rstrip()
        case ConnectionClosed():
            code = error.rcvd.code if error.rcvd else 1006
            reason = error.rcvd.reason if error.rcvd else "the connection broke"
            return f"Gemini closed the conversation: {code} {reason}".rstrip()
        case TimeoutError():
            return "Gemini did not answer in time"
        case _:
            return f"Gemini cannot be reached: {type(error).__name__}: {error}"


def _reason(error: APIError) -> str:
    details = error.details
    return details if isinstance(details, str) else str(error.message or "")


def _hint(status: int) -> str:
    hints = {
        401: ": check gemini.api_key",
        403: ": check gemini.api_key and that the Live API is allowed for it",
        404: ": check gemini.base_url and gemini.api_version",
        429: ": the quota is used up",
    }
    return hints.get(status, "")
