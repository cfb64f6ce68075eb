"""The [sip] settings made into a user agent."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from voicegate.settings import SipSettings
from voicegate.sip.address import Address
from voicegate.sip.headers import SipUri
from voicegate.sip.stream import NO_TLS
from voicegate.trunk import CannotListen, address_of, guard, open_trunk, places, tls


def certificate(tmp_path: Path) -> dict[str, Any]:
    authority = trustme.CA()
    chain, ca = str(tmp_path / "chain.pem"), str(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(chain)
    authority.cert_pem.write_to_path(ca)
    return {"tls_certificate": chain, "tls_ca": ca}


def test_every_address_listens_by_every_transport(tmp_path: Path) -> None:
    sip = SipSettings(
        host="0.0.0.0",
        listen=("::", "0.0.0.0"),
        transports=("udp", "tcp", "tls"),
        **certificate(tmp_path),
    )
    assert places(sip) == [
        Address("0.0.0.0", 5060, "udp"),
        Address("0.0.0.0", 5060, "tcp"),
        Address("0.0.0.0", 5061, "tls"),
        Address("::", 5060, "udp"),
        Address("::", 5060, "tcp"),
        Address("::", 5061, "tls"),
    ]


def test_without_tls_no_certificate_is_read() -> None:
    assert tls(SipSettings(tls_certificate="missing.pem"), {}) is NO_TLS


def test_a_certificate_that_is_none_is_told_of(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    Path(files["tls_certificate"]).write_text("no certificate")
    with pytest.raises(CannotListen, match="PEM"):
        tls(SipSettings(transports=("tls",), **files), {})


def test_users_are_asked_as_the_settings_say() -> None:
    assert guard(SipSettings(), random.Random(1)) is None
    sip = SipSettings(users={"gate": SecretStr("secret")}, realm="here", digest=("MD5",))
    made = guard(sip, random.Random(1))
    assert made is not None
    (challenge,) = made.challenges(0.0)
    assert 'realm="here"' in challenge
    assert "algorithm=MD5" in challenge


async def test_a_registrar_by_name_is_looked_up_and_by_address_is_not() -> None:
    assert await address_of(
        SipUri.parse("sip:127.0.0.9;transport=tcp"), "sip.registrar"
    ) == Address("127.0.0.9", 5060, "tcp")
    assert (await address_of(SipUri.parse("sips:localhost"), "sip.registrar")).port == 5061
    with pytest.raises(CannotListen, match="no-such-gate"):
        await address_of(SipUri.parse("sip:no-such-gate.invalid"), "sip.registrar")


async def test_a_registrar_by_a_transport_that_is_not_served_is_told_of() -> None:
    sip = SipSettings(port=0, registrar="sip:127.0.0.1:9;transport=tcp", username="100")
    with pytest.raises(CannotListen, match=r"sip\.transports"):
        async with open_trunk(sip, allow=lambda _host: True, ready=lambda: True, retry_after_s=5):
            raise AssertionError("opened all the same")


async def test_all_of_it_listens_and_leaves_nothing(tmp_path: Path) -> None:
    sip = SipSettings(
        port=0,
        tls_port=0,
        listen=("::1",),
        transports=("udp", "tcp", "tls"),
        **certificate(tmp_path),
    )
    for _ in range(2):
        async with open_trunk(
            sip, allow=lambda _host: True, ready=lambda: True, retry_after_s=5
        ) as agent:
            assert [bound.transport for bound in agent.bound] == ["udp", "tcp", "tls"] * 2
            assert agent.local.port == agent.bound[1].port
            assert agent.bind_host(Address("::1", 1)) == "::1"
            assert agent.bind_host(Address("127.0.0.9", 1)) == "127.0.0.1"
