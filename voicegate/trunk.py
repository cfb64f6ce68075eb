"""The [sip] settings made into a user agent: where it listens, whom it trusts."""

import random
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from voicegate import __version__
from voicegate.settings import SipSettings
from voicegate.sip.address import Address
from voicegate.sip.digest import Guard
from voicegate.sip.opening import open_user_agent
from voicegate.sip.stream import NO_TLS, Tls
from voicegate.sip.user_agent import UserAgent


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
        guard=guard(sip, random.SystemRandom()),
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


def guard(sip: SipSettings, source: random.Random) -> Guard | None:
    """Whoever knows a password may call from anywhere; None where nobody has one."""
    if not sip.users:
        return None
    users = {name: password.get_secret_value() for name, password in sip.users.items()}
    return Guard(users, source, realm=sip.realm, algorithms=sip.digest)
