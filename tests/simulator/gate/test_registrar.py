"""The gate accepts registrations, keeps bindings, and calls where they point."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from simulator.clock import run_virtual
from simulator.gate import Registrar, SimulatedGate
from tests.simulator.gate.reference_gateway import ReferenceGateway
from tests.simulator.gate.reference_registrant import ReferenceRegistrant

Play = Callable[[ReferenceRegistrant, Registrar, SimulatedGate], Awaitable[None]]


def rules_of(play: Play, **settings: Any) -> list[str]:
    async def main() -> list[str]:
        async with SimulatedGate() as gate, ReferenceRegistrant(gate.address) as client:
            registrar = gate.accept_registrations({"gw": "secret"}, **settings)
            await play(client, registrar, gate)
            return [violation.rule for violation in gate.violations]

    return run_virtual(main())


@pytest.mark.parametrize(
    ("settings", "asked"),
    [({}, 401), ({"algorithms": ("SHA-256",)}, 401), ({"status": 407}, 407)],
)
def test_a_binding_is_made_kept_and_taken_away(settings: dict[str, Any], asked: int) -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        status, head = await client.register(60)
        assert status == 200
        host, port = client.address
        assert f"Contact: <sip:gw@{host}:{port}>;expires=60\r\n" in head
        binding = await registrar.registered("gw", within_s=1)
        assert (binding.expires_s, binding.source) == (60, client.address)
        await asyncio.sleep(30)
        # The same nonce again, with the next count.
        assert (await client.register(60, fresh=False))[0] == 200
        await asyncio.sleep(50)
        assert registrar.binding("gw") is not None
        status, head = await client.register(0, fresh=False)
        assert status == 200
        assert "Contact:" not in head
        await registrar.unregistered("gw", within_s=1)
        assert list(registrar.statuses) == [asked, 200, 200, 200]
        assert not registrar.lapsed

    assert rules_of(play, **settings) == []


def test_a_binding_that_nobody_refreshes_lapses() -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        await client.register(60)
        await asyncio.sleep(61)
        assert registrar.binding("gw") is None
        assert [binding.user for binding in registrar.lapsed] == ["gw"]

    assert rules_of(play) == []


def test_a_wrong_password_binds_nothing() -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        client.password = "wrong"
        assert (await client.register(60))[0] == 403
        assert registrar.asks.wrong == 1
        with pytest.raises(AssertionError, match=r"answered \[401, 403\]"):
            await registrar.registered("gw", within_s=1)

    assert rules_of(play) == []


def test_an_old_nonce_is_stale() -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        await client.register(60)
        await asyncio.sleep(11)
        status, _ = await client.register(60, fresh=False)
        assert status == 200
        registrar.asks.expire_nonces()
        status, head = await client.once(60)
        assert status == 401
        assert "stale=true" in head
        assert list(registrar.statuses) == [401, 200, 401, 200, 401]

    assert rules_of(play, nonce_s=10) == []


def test_a_short_time_is_423_and_answers_can_be_planned() -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        status, head = await client.register(60)
        assert status == 423
        assert "Min-Expires: 120\r\n" in head
        registrar.answer_next(503, "Retry-After: 5")
        assert (await client.register(120))[0] == 503
        assert (await client.register(9999))[0] == 200
        binding = registrar.binding("gw")
        assert binding is not None
        assert binding.expires_s == 3600
        registrar.forget("gw")
        assert registrar.bindings == []

    assert rules_of(play, min_expires_s=120) == []


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("register-uri", "REGISTER sip:", "REGISTER sip:gw@"),
        ("register-cseq", "CSeq: 2 ", "CSeq: 9 "),
        ("from-tag-missing", ";tag=r", ""),
        ("contact-unusable", "Contact: <sip:gw@127.0.0.1", "Contact: <sip:gw@0.0.0.0"),
        ("digest-uri", 'uri="sip:', 'uri="sip:x@'),
        ("digest-nc", "nc=00000001", "nc=1"),
        ("digest-qop", "qop=auth, ", ""),
        ("digest-opaque", ", opaque=", ", opaquer="),
        ("digest-realm", 'realm="gate"', 'realm="gote"'),
        ("digest-algorithm", "algorithm=MD5", "algorithm=MD6"),
        ("digest-field", 'username="gw", ', ""),
    ],
)
def test_one_sin_of_a_registering_gateway(due: str, old: str, new: str) -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        changed = []

        def spoil(data: bytes) -> bytes:
            changed.append(old.encode() in data)
            return data.replace(old.encode(), new.encode())

        client.spoil = spoil
        await client.register(60)
        assert any(changed)

    rules = rules_of(play)
    # The credentials still name the URI as it should have been.
    assert {*rules} - ({"digest-uri"} if due == "register-uri" else {""}) == {due}, rules


def test_a_count_that_does_not_grow_is_named() -> None:
    async def play(client: ReferenceRegistrant, registrar: Registrar, gate: SimulatedGate) -> None:
        await client.register(60)
        client.uses = 0
        assert (await client.once(60))[0] == 401

    assert rules_of(play) == ["digest-nc"]


def test_the_registered_contact_is_called() -> None:
    async def main() -> None:
        async with ReferenceGateway() as gateway, SimulatedGate() as gate:
            registrar = gate.accept_registrations({"gw": "secret"})
            with pytest.raises(ValueError, match="'gw' is not registered"):
                await gate.dial("1000", registered="gw")
            async with ReferenceRegistrant(gate.address) as client:
                host, port = gateway.address
                client.spoil = lambda data: data.replace(
                    b"Contact: <sip:gw@%s:%d" % (host.encode(), client.address[1]),
                    b"Contact: <sip:gw@%s:%d" % (host.encode(), port),
                )
                await client.register(60)
            assert registrar.binding("gw") is not None
            async with gate.dial("1000", registered="gw") as call:
                await call.lasts(1)
                assert call.dialog.request_uri == f"sip:gw@{host}:{port}"
            gate.check()

    run_virtual(main())
