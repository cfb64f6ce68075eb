"""The gate registers to a gateway."""

import asyncio

import pytest

from simulator.clock import run_virtual
from simulator.gate import RegistrationRefused, SimulatedGate
from tests.simulator.gate.reference_peer import ReferencePeer


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_it_registers_refreshes_and_signs_off(algorithm: str) -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            peer.users, peer.algorithm = {"gate": "secret"}, algorithm
            async with gate.register("gate", "secret", expires_s=60) as registration:
                assert registration.is_up
                assert peer.bindings == {"gate": 60}
                await asyncio.sleep(95)
                assert registration.is_up
                # Refreshed at 30, 60 and 90 s: each REGISTER is challenged anew.
                assert len(registration.granted_at) == 4
                assert list(registration.statuses) == [401, 200] * 4
            assert peer.bindings == {"gate": 0}
            assert not registration.is_up
            gate.check()

    run_virtual(main())


def test_a_wrong_password_is_tried_once() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            peer.users = {"gate": "secret"}
            with pytest.raises(RegistrationRefused, match="401 Unauthorized"):
                await gate.register("gate", "wrong")
            assert peer.methods == ["REGISTER"] * 2
            with pytest.raises(RegistrationRefused):
                await gate.register("gate")
            assert peer.methods == ["REGISTER"] * 3
            gate.check()

    run_virtual(main())


def test_a_stale_nonce_is_replaced_and_a_short_time_is_made_longer() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            peer.users, peer.min_expires = {"gate": "secret"}, 120

            def nonce_changes(data: bytes) -> bytes:
                if peer.methods.count("REGISTER") == 1:
                    peer.nonce = "n1"
                return data

            peer.spoil = nonce_changes
            registration = await gate.register("gate", "secret", expires_s=60)
            assert list(registration.statuses) == [401, 401, 423, 401, 200]
            assert peer.bindings == {"gate": 120}
            registration.refreshes = False
            await asyncio.sleep(119)
            assert registration.is_up
            await asyncio.sleep(2)
            assert not registration.is_up
            gate.check()

    run_virtual(main(), limit_s=300)


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("register-contact", b"Contact:", b"X-Contact:"),
        ("register-expires", b";expires=60", b""),
        ("register-expires", b";expires=60", b";expires=61"),
        ("challenge-qop", b', qop="auth"', b""),
        ("challenge-field", b'realm="ref", ', b""),
        ("refusal-header", b"WWW-Authenticate", b"X-Authenticate"),
        ("min-expires", b"Min-Expires: 120", b"Min-Expires: 50"),
    ],
)
def test_one_sin_of_a_registrar(due: str, old: bytes, new: bytes) -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            if "challenge" in due or "header" in due:
                peer.users = {"gate": "secret"}
            if due == "min-expires":
                peer.min_expires = 120
            changed = []

            def spoil(data: bytes) -> bytes:
                changed.append(old in data)
                return data.replace(old, new)

            peer.spoil = spoil
            try:
                registration = await gate.register("gate", "secret", expires_s=60)
                registration.refreshes = False
            except RegistrationRefused:
                pass
            assert any(changed)
            assert {violation.rule for violation in gate.violations} == {due}

    run_virtual(main())


def test_a_call_is_made_with_the_password() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            peer.users = {"gate": "secret"}
            async with gate.dial("1000", login=("gate", "secret")) as call:
                await call.lasts(1)
            assert peer.methods == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
            peer.methods.clear()
            await gate.dial("1000", login=("gate", "wrong"), expect=401)
            await asyncio.sleep(0.1)
            assert peer.methods == ["INVITE", "ACK", "INVITE", "ACK"]
            await gate.dial("1000", expect=401)
            gate.check()

    run_virtual(main())
