"""The [sip] settings made into a user agent: where it listens, whom it trusts."""

import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from voicegate import __version__
from voicegate.settings import SipSettings
from voicegate.sip.address import Address
from voicegate.sip.stream import NO_TLS, Tls
from voicegate.sip.user_agent import UserAgent, open_user_agent


def open_trunk(
    sip: SipSettings,
    *,
    allow: Callable[[str], bool],
    ready: Callable[[], bool],
    retry_after_s: int,
) -> AbstractAsyncContextManager[UserAgent]:
    """Listen as [sip] says for as long as the block runs."""
    return open_user_agent(
        places(sip),
        product=f"voicegate/{__version__}",
        allow=allow,
        ready=ready,
        retry_after_s=retry_after_s,
        tls=tls(sip),
    )


def places(sip: SipSettings) -> list[Address]:
    """Every address with every transport; a host named twice counts once."""
    ports = {"udp": sip.port, "tcp": sip.port, "tls": sip.tls_port}
    hosts = dict.fromkeys((sip.host, *sip.listen))
    return [Address(host, ports[each], each) for host in hosts for each in sip.transports]


def tls(sip: SipSettings) -> Tls:
    """What proves us and what we trust; nothing where TLS is not served.

    OSError where a file is missing or is no certificate.
    """
    if "tls" not in sip.transports or not sip.tls_certificate:
        return NO_TLS
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(sip.tls_certificate, sip.tls_key or None)
    return Tls(server, ssl.create_default_context(cafile=sip.tls_ca or None))
