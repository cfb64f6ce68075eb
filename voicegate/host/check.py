"""`voicegate check`: everything that can be known before the first call, with the mend."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from voicegate.config import Config
from voicegate.host import internet, local, probes
from voicegate.host.findings import Finding
from voicegate.host.registering import registrars_know_us
from voicegate.sip.message import Address

FATAL = (
    local.sip_port,
    local.tls_files,
    local.admin_port,
    local.record_folder,
    internet.api_key,
    local.own_code,
    local.capacity,
)
"""Without these the gateway does not start."""
OTHERS = (
    local.effect,
    local.rtp_range,
    local.clock,
    internet.certificates,
    internet.proxy_variables,
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
    for one in await registrars_know_us(config):
        yield one
    yield await probes.model_answers(config)
    if calls is not None:
        yield await probes.two_calls(calls)
