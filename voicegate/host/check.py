"""`voicegate check`: everything that can be known before the first call, with the mend."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from voicegate.config import Config
from voicegate.host import local, probes
from voicegate.host.findings import Finding
from voicegate.sip.message import Address

FATAL = (local.sip_port, local.admin_port, local.record_folder, local.api_key)
"""Without these the gateway does not start."""
OTHERS = (
    local.rtp_range,
    local.clock,
    local.capacity,
    local.proxy_variables,
)


def fatal_findings(config: Config) -> list[Finding]:
    """Look at what start-up needs; give what is wrong with it."""
    return [one for one in (look(config) for look in FATAL) if one.fatal]


async def findings(
    config: Config,
    gates: tuple[Address, ...] = (),
    calls: Callable[[], Awaitable[dict[str, Any]]] | None = None,
) -> AsyncIterator[Finding]:
    """Look at all of it, one after the other; `calls` makes two test calls."""
    for look in (*FATAL, *OTHERS):
        yield look(config)
    for one in local.way_to_the_gate(config):
        yield one
    for gate in gates:
        yield await probes.gate_answers(gate, config)
    yield await probes.model_answers(config)
    if calls is not None:
        yield await probes.two_calls(calls)
