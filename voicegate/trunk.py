"""The [sip] settings made into a user agent: where it listens, who may call, who knows it."""

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from voicegate import __version__
from voicegate.logs import get_logger
from voicegate.settings import SipSettings
from voicegate.sip.address import DEFAULT_PORTS, Address
from voicegate.sip.digest import Credentials, Guard
from voicegate.sip.headers import SipUri
from voicegate.sip.login import Login
from voicegate.sip.opening import open_user_agent
from voicegate.sip.registration import Account, RegistrationState, Tell
from voicegate.sip.stream import NO_TLS, Tls
from voicegate.sip.user_agent import UserAgent

log = get_logger(__name__)


class CannotListen(Exception):
    """A port, a file or a registrar cannot be had; the text names the setting."""


@asynccontextmanager
async def open_trunk(
    sip: SipSettings,
    *,
    allow: Callable[[str], bool],
    ready: Callable[[], bool],
    retry_after_s: int,
    tell: Tell | None = None,
) -> AsyncIterator[UserAgent]:
    """Listen and register as [sip] says for as long as the block runs.

    `tell` learns of the registrations, the log where there is none. OSError for a port that is
    taken; CannotListen for a certificate that is none and for a registrar that has no address.
    """
    source = random.SystemRandom()
    uris = [SipUri.parse(each.registrar) for each in sip.registrars]
    peers = [await address_of(uri, "sip.registrar") for uri in uris]
    hosts = [peer.host for peer in peers]
    proof = tls(sip, {peer: uri.host for peer, uri in zip(peers, uris, strict=True)})
    async with open_user_agent(
        places(sip),
        product=f"voicegate/{__version__}",
        allow=lambda host: host in hosts or allow(host),
        ready=ready,
        retry_after_s=retry_after_s,
        session_expires_s=sip.session_expires_s,
        tls=proof,
        guard=guard(sip, source),
    ) as agent:
        for each, uri, peer in zip(sip.registrars, uris, peers, strict=True):
            credentials = Credentials(each.username, each.password.get_secret_value())
            flow = agent.flow_to(peer)
            if flow is None:
                raise CannotListen(
                    f"sip.registrar {each.registrar}: set its transport in sip.transports, and an"
                    " address of its family in sip.host or sip.listen"
                )
            login = Login(credentials, source)
            agent.register(Account(uri, each.username, flow, login, sip.register_s), tell or _tell)
        yield agent


async def address_of(uri: SipUri, setting: str) -> Address:
    """Where that setting sends us; a name is looked up here, once, and in no message of a peer."""
    transport = uri.transport or "udp"
    port = uri.port or DEFAULT_PORTS[transport]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(uri.host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise CannotListen(f"{setting} {uri} has no address: {error.strerror}") from error
    return Address(str(found[0][4][0]), port, transport)


def _tell(account: Account, state: RegistrationState, status: int) -> None:
    registrar = str(account.registrar)
    if state is RegistrationState.LOST:
        log.warning("registration lost", registrar=registrar, status=status)
    else:
        log.info("registration", registrar=registrar, state=state.value)


def places(sip: SipSettings) -> list[Address]:
    """Every address with every transport; a host named twice counts once."""
    ports = {"udp": sip.port, "tcp": sip.port, "tls": sip.tls_port}
    hosts = dict.fromkeys((sip.host, *sip.listen))
    return [Address(host, ports[each], each) for host in hosts for each in sip.transports]


def tls(sip: SipSettings, names: dict[Address, str]) -> Tls:
    """What proves us and what we trust; nothing where TLS is not served.

    CannotListen where a file is missing or is no certificate.
    """
    if "tls" not in sip.transports or not sip.tls_certificate:
        return NO_TLS
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(sip.tls_certificate, sip.tls_key or None)
        client = ssl.create_default_context(cafile=sip.tls_ca or None)
    except OSError as error:
        raise CannotListen(f"sip.tls_certificate, tls_key or tls_ca: {error}") from error
    return Tls(server, client, names)


def guard(sip: SipSettings, source: random.Random) -> Guard | None:
    """Whoever knows a password may call from anywhere; None where nobody has one."""
    if not sip.users:
        return None
    users = {name: password.get_secret_value() for name, password in sip.users.items()}
    return Guard(users, source, realm=sip.realm, algorithms=sip.digest)
