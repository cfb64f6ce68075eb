"""Two gates: one stands before the gateway, the other is a telephone of it."""

import pytest

from simulator.audio.sound import speech
from simulator.clock import run_virtual
from simulator.gate.caller import CallRefused
from simulator.gate.extension import Extension, passes_gates
from simulator.gate.gate import SimulatedGate
from simulator.gate.judge import Violation
from simulator.gate.paths import FairFindings, Paths

ME = Extension("100", "secret", "4711")


@pytest.mark.parametrize(("algorithm", "status"), [("MD5", 401), ("SHA-256", 407)])
def test_it_dials_its_number_under_its_name_with_its_password(algorithm: str, status: int) -> None:
    async def main() -> None:
        async with (
            SimulatedGate() as before,
            SimulatedGate(gateway=before.address, extension=ME, seed=1) as telephone,
        ):
            asks = before.authenticator({"100": "secret"}, algorithms=(algorithm,), status=status)
            answering = await before.answering("4711", asks=asks, speak=speech(1.0))
            async with telephone.dial("1000", caller="somebody") as call:
                await call.lasts(1.5)
                assert call.number == "4711"
                assert call.dialog.own_value == f'"100" <sip:100@{before.address}>'
            assert answering.ended_by == "gateway"
            assert call.heard.level_dbfs() > -40
            before.check()
            telephone.check()

    run_virtual(main())


def test_a_wrong_password_is_tried_once() -> None:
    async def main() -> None:
        wrong = Extension("100", "wrong", "4711")
        async with (
            SimulatedGate() as before,
            SimulatedGate(gateway=before.address, extension=wrong, seed=1) as telephone,
        ):
            asks = before.authenticator({"100": "secret"})
            await before.answering("4711", asks=asks)
            with pytest.raises(CallRefused, match="refused: 40"):
                await telephone.dial("1000")
            assert asks.wrong == 1

    run_virtual(main())


def test_without_a_password_none_is_made_up() -> None:
    async def main() -> None:
        silent = Extension("100", "", "4711")
        async with (
            SimulatedGate() as before,
            SimulatedGate(gateway=before.address, extension=silent, seed=1) as telephone,
        ):
            asks = before.authenticator({"100": "secret"})
            await before.answering("4711", asks=asks)
            with pytest.raises(CallRefused, match="401"):
                await telephone.dial("1000")
            assert asks.wrong == 0

    run_virtual(main())


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ("via-echoed", False),
        ("record-route-copied", False),
        ("trying-late", False),
        ("register-expires", False),
        ("rtp-before-answer", False),
        ("rtp-source", True),
        ("sdp-codec", True),
        ("wrong-tag", True),
        ("cseq-growth", True),
    ],
)
def test_the_gateway_answers_for_what_a_gate_passes_on(rule: str, passes: bool) -> None:
    violation = Violation(rule, "RFC 3261", "")
    assert passes_gates(violation) is passes
    through, straight = (FairFindings(Paths(through_gate=gate)) for gate in (True, False))
    through.add(violation)
    straight.add(violation)
    assert (through.violations == [violation]) is passes
    assert straight.violations == [violation]
