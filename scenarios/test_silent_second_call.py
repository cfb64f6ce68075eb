"""Why an older agent fell silent on the second call: its six causes, each a scenario of ours.

That each of them is seen where it is put back is shown in tests/test_silent_second_call_sins.py.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from scenarios import stories
from scenarios.stories import FAILURES, Stage
from simulator.clock import VirtualLoop
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.network import WindowsUdp, windows_udp
from simulator.witness.witness import Witness
from voicegate.call import Call
from voicegate.sip.udp import UdpListener

Settings = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def stage(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> Stage:
    """Everybody who plays in a story."""
    return Stage(gate, gemini, witness)


@pytest.fixture
async def in_process() -> None:
    """The test reaches into the gateway, which must therefore run here."""
    if not isinstance(asyncio.get_running_loop(), VirtualLoop):
        pytest.skip("not testable: on the real clock the gateway is a process of its own")


@pytest.mark.parametrize("trouble", [stories.model_is_gone, stories.model_never_lets_go])
async def test_a_a_clean_up_in_trouble_leaves_nothing(stage: Stage, trouble: object) -> None:
    await stories.a_clean_up_in_trouble(stage, trouble)  # type: ignore[arg-type]


@pytest.mark.usefixtures("in_process")
async def test_a_a_clean_up_of_ours_that_fails_is_loud_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug in our clean-up")

    def breaks(_: Stage) -> None:
        monkeypatch.setattr(Call, "_part", broken)
        asyncio.get_running_loop().call_later(1.0, monkeypatch.undo)

    await stories.a_clean_up_in_trouble(stage, breaks)
    assert "a bug in our clean-up" in caplog.text


async def test_b_a_bye_of_call_1_that_comes_again_ends_no_other_call(stage: Stage) -> None:
    await stories.b_bye_of_call_1_in_call_2(stage)


async def test_b_a_bye_that_crossed_our_own_and_comes_late_ends_no_other_call(
    stage: Stage,
) -> None:
    await stories.b_late_bye_after_our_own(stage)


async def test_c_our_own_bye_ends_call_1_at_the_gate(stage: Stage) -> None:
    await stories.c_our_bye_is_right(stage)


async def test_c_our_own_bye_takes_the_way_the_invite_came(stage: Stage) -> None:
    nearest = f"Record-Route: <sip:{stage.gate.address};lr>"
    await stories.c_our_bye_is_right(stage, headers=(nearest, "Record-Route: <sip:far.invalid;lr>"))


async def test_c_our_own_bye_passes_a_strict_router(stage: Stage) -> None:
    strict = f"Record-Route: <sip:{stage.gate.address}>"
    await stories.c_our_bye_is_right(stage, headers=(strict,))


@pytest.mark.parametrize("failure", FAILURES)
async def test_d_a_set_up_that_fails_leaves_nothing(stage: Stage, failure: str) -> None:
    await stories.d_set_up_fails(stage, failure)


class TestWithTwoPorts:
    """A gateway that can carry the sound of two calls."""

    @pytest.fixture
    def settings(self) -> Settings:
        return {"media": {"rtp_ports": [18000, 18002]}}

    async def test_d_for_want_of_a_port_a_call_is_refused_and_the_next_is_heard(
        self, stage: Stage
    ) -> None:
        await stories.d_no_port_is_free(stage)


async def test_e_rtp_of_call_1_and_of_strangers_never_reaches_call_2(stage: Stage) -> None:
    await stories.e_rtp_of_others(stage)


async def test_e_calls_at_once_hear_only_their_own(stage: Stage) -> None:
    await stories.e_calls_at_once(stage)


async def test_f_a_caller_whose_port_is_closed_costs_the_next_call_nothing(stage: Stage) -> None:
    await stories.f_port_unreachable(stage)


@pytest.mark.usefixtures("in_process")
class TestOnWindows:
    """The gateway's sockets suffer WinError 10054 (the simulator's own stay whole)."""

    @pytest.fixture
    def listeners(self) -> list[UdpListener]:
        """The gateway's SIP sockets, as they open."""
        return []

    @pytest.fixture
    async def windows(
        self, request: pytest.FixtureRequest, listeners: list[UdpListener]
    ) -> AsyncIterator[WindowsUdp]:
        def is_of_the_gateway(protocol: asyncio.BaseProtocol) -> bool:
            if isinstance(protocol, UdpListener):
                listeners.append(protocol)
            return type(protocol).__module__.startswith("voicegate.")

        with windows_udp(affects=is_of_the_gateway, **request.param) as fault:
            yield fault

    @pytest.fixture
    def settings(self, windows: WindowsUdp) -> Settings:
        """Nothing is set; but the fault is there before the gateway opens its sockets."""
        return {}

    @pytest.fixture
    def struck_stage(self, stage: Stage, windows: WindowsUdp) -> Stage:
        return replace(stage, windows=windows)

    @pytest.mark.parametrize("windows", [{"deaf": False}], indirect=True)
    async def test_f_10054_in_mid_call_costs_neither_call_its_sound(
        self, struck_stage: Stage, listeners: list[UdpListener]
    ) -> None:
        await stories.f_reset_in_mid_call(struck_stage)
        assert listeners[0].counters["udp_errors"] == 1
        assert len(listeners) == 1, "a socket that hears was replaced"

    @pytest.mark.parametrize("windows", [{"deaf": True}], indirect=True)
    async def test_f_a_deaf_rtp_socket_is_opened_anew_and_its_call_is_heard_again(
        self, struck_stage: Stage
    ) -> None:
        await stories.f_deaf_rtp_socket(struck_stage)

    @pytest.mark.parametrize("windows", [{"deaf": True}], indirect=True)
    async def test_f_a_deaf_sip_socket_is_opened_anew_and_call_2_is_heard(
        self, struck_stage: Stage, listeners: list[UdpListener]
    ) -> None:
        await stories.f_deaf_sip_socket(struck_stage)
        assert listeners[0].counters["udp_reopened"] == 1

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of ICMP when asked to")
    @pytest.mark.parametrize("windows", [{"deaf": False, "icmp": True}], indirect=True)
    async def test_f_icmp_from_the_kernel_costs_the_next_call_nothing(
        self, struck_stage: Stage, listeners: list[UdpListener]
    ) -> None:
        await stories.f_port_unreachable(struck_stage)
        assert listeners[0].counters["udp_errors"] > 0
