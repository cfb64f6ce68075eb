"""Addresses as people write them."""

import asyncio

import pytest

from simulator.commands.addresses import (
    HostPort,
    Target,
    local_host,
    parse_gateway,
    parse_listen,
    parse_target,
    parse_user,
    resolve,
)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("sip:127.0.0.1", Target("127.0.0.1", 5060, "")),
        ("SIP:gw.example:5070", Target("gw.example", 5070, "")),
        ("sip:1000@10.0.0.1:5061", Target("10.0.0.1", 5061, "1000")),
        ("sip:*31#100@10.0.0.1", Target("10.0.0.1", 5060, "*31#100")),
        ("sip:100;ext=7@10.0.0.1;transport=udp", Target("10.0.0.1", 5060, "100;ext=7")),
    ],
)
def test_a_sip_uri_is_read(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:5060",
        "sips:127.0.0.1",
        "sip:",
        "sip:@",
        "sip:1 2@127.0.0.1",
        "sip:127.0.0.1:0",
        "sip:127.0.0.1:65536",
        "sip:127.0.0.1:x",
        "sip:127.0.0.1:-1",
        "sip:[::1]:5060",
        "sip:127.0.0.1;transport=tcp",
        "sip:a\r\nVia: x@127.0.0.1",
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_target(text)


def test_listening_takes_any_port_and_a_gateway_needs_none() -> None:
    assert parse_listen("127.0.0.1:0") == HostPort("127.0.0.1", 0)
    assert parse_gateway("10.0.0.1") == HostPort("10.0.0.1", 5060)
    assert parse_gateway("sip:10.0.0.1:5070") == HostPort("10.0.0.1", 5070)
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_listen("127.0.0.1")


def test_a_user_part_cannot_smuggle_a_header() -> None:
    assert parse_user("+359-2/100") == "+359-2/100"
    for text in ("", "a b", "a\r\nb", "<a>", "a@b", "a" * 129):
        with pytest.raises(ValueError, match="no number"):
            parse_user(text)


def test_names_become_addresses_and_the_own_one_is_found() -> None:
    assert asyncio.run(resolve(HostPort("localhost", 7))) == HostPort("127.0.0.1", 7)
    assert asyncio.run(resolve(Target("10.1.2.3", 7, "x"))) == HostPort("10.1.2.3", 7)
    assert local_host(HostPort("127.0.0.1", 0)) == "127.0.0.1"
    with pytest.raises(OSError, match=r"."):
        asyncio.run(resolve(HostPort("no-such-host.invalid", 7)))
