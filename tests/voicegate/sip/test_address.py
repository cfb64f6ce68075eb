"""Addresses as they stand in a URI or a Via."""

from __future__ import annotations

from voicegate.sip.address import Address


def test_an_address_says_how_it_is_reached() -> None:
    assert str(Address("127.0.0.1", 5060)) == "127.0.0.1:5060"
    assert str(Address("::1", 5060, "tcp")) == "[::1]:5060"
    assert Address("127.0.0.1", 5060).uri == "sip:127.0.0.1:5060"
    assert Address("::1", 5061, "tls").uri == "sip:[::1]:5061;transport=tls"


def test_only_udp_loses_things() -> None:
    assert not Address("127.0.0.1", 5060).is_reliable
    assert Address("127.0.0.1", 5060, "tcp").is_reliable
