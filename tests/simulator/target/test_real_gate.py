"""A gateway behind a real gate: how it is named, and how its telephone is let in."""

import pytest

from simulator.clock import run_virtual
from simulator.gate.extension import Extension
from simulator.gate.gate import SimulatedGate
from simulator.target.real_gate import PASSWORD, NotLetIn, behind_gate, signed_in
from simulator.target.remote import BadTarget


def test_user_password_and_number_make_an_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "secret")
    target = behind_gate("sip:100@127.0.0.1:5070", "1000")
    assert target.address == ("127.0.0.1", 5070)
    assert target.extension == Extension("100", "secret", "1000")


def test_nobody_guesses_where_the_gateway_behind_it_is() -> None:
    target = behind_gate("sip:100@127.0.0.1", "1000")
    assert target.take is None
    assert "give --resources URL" in target.unseen


def test_a_gate_must_be_told_who_calls() -> None:
    with pytest.raises(BadTarget, match="sip:USER@HOST"):
        behind_gate("sip:127.0.0.1", "1000")


def test_a_telephone_registers_while_it_is_used() -> None:
    async def main() -> None:
        me = Extension("100", "secret", "1000")
        async with (
            SimulatedGate() as real,
            SimulatedGate(gateway=real.address, extension=me, seed=1) as telephone,
        ):
            registrar = real.accept_registrations({"100": "secret"})
            async with signed_in(telephone):
                assert registrar.binding("100") is not None
            assert registrar.binding("100") is None
            real.check()

    run_virtual(main())


@pytest.mark.parametrize(
    ("password", "hint"), [("wrong", f"is {PASSWORD} right"), ("", f"set {PASSWORD}")]
)
def test_a_password_that_is_not_taken_is_named(password: str, hint: str) -> None:
    async def main() -> None:
        me = Extension("100", password, "1000")
        async with (
            SimulatedGate() as real,
            SimulatedGate(gateway=real.address, extension=me, seed=1) as telephone,
        ):
            real.accept_registrations({"100": "secret"})
            with pytest.raises(NotLetIn, match=hint):
                async with signed_in(telephone):
                    pytest.fail("let in")

    run_virtual(main())


def test_a_gate_without_a_registrar_is_called_without() -> None:
    async def main() -> None:
        me = Extension("100", "secret", "1000")
        async with (
            SimulatedGate() as real,
            SimulatedGate(gateway=real.address, extension=me, seed=1) as telephone,
            signed_in(telephone),
        ):
            assert await telephone.options() == 200

    run_virtual(main())


def test_who_is_no_extension_registers_nowhere() -> None:
    async def main() -> None:
        async with SimulatedGate() as real, SimulatedGate(gateway=real.address, seed=1) as gate:
            registrar = real.accept_registrations({"100": "secret"})
            async with signed_in(gate):
                assert registrar.binding("100") is None

    run_virtual(main())
