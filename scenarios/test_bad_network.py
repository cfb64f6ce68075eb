"""A bad network: RTP that is lost, late and doubled, SIP that is lost, ports that are closed."""

import pytest

from scenarios.trouble import STAMPS, World
from simulator.audio.sound import silence, speech
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import say
from simulator.gemini.server import FakeGemini
from simulator.network import Impairment
from simulator.target.network import Network
from simulator.witness.witness import Witness

RESENDS_S = 65.0
"""A request is sent again for 32 s, and its answer is remembered for as long."""
CALLS = 5
DEAD = Impairment(loss=1.0)


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


async def test_both_are_heard_through_loss_jitter_reordering_and_doubles(
    world: World, network: Network
) -> None:
    paths, call_s = world.gate.paths, 15.0
    for path in (paths.rtp_out, paths.rtp_in):
        path.impairment = network.impaired(loss=0.02, jitter_s=0.03, reorder=0.02, duplicate=0.02)
    world.gemini.always(say=STAMPS)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(call_s)
    model = world.gemini.session(0)
    for path in (paths.rtp_out, paths.rtp_in):
        assert min(path.counts[fault] for fault in ("lost", "reordered", "duplicated")) > 5
    # a stamp in which the wrong packets are missing is not read: one in fifteen at the most
    assert call.heard.only_from(model, at_least=27)
    assert model.heard.only_from(call, at_least=27)
    await world.nothing_is_left("a call over a bad network")


async def test_sound_comes_back_after_an_outage(world: World) -> None:
    paths = world.gate.paths
    world.gemini.always(say=STAMPS)
    async with world.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(2)
        with paths.rtp_in.impaired(DEAD), paths.rtp_out.impaired(DEAD):
            await call.lasts(5)
        back_at = world.gemini.session(0).heard.end_s or 0.0
        await call.lasts(4)
    model = world.gemini.session(0)
    for ear, source in ((call.heard, model), (model.heard, call)):
        assert ear.only_from(source, at_least=8)
        assert sum(stamp.at_s > back_at for stamp in ear.stamps()) >= 6
    await world.nothing_is_left("a call with an outage")


async def ended_by_gateway(world: World) -> None:
    """A call whose BYE is the gateway's: the model takes its leave."""
    world.gemini.on_text(say(speech(0.5), text="Goodbye."), session=len(world.gemini.sessions))
    call = await world.gate.dial("1000", speak=silence)
    await call.ended(by="gateway", within_s=50)


@pytest.mark.virtual_limit(900)
@pytest.mark.parametrize("loss", [0.1, 0.2])
@pytest.mark.thorough(but=1)
async def test_calls_begin_and_end_though_sip_is_lost(
    world: World, network: Network, loss: float
) -> None:
    paths = world.gate.paths
    world.gemini.on_text(say=speech(0.5))
    lossy_out, lossy_in = network.impaired(loss=loss), network.impaired(loss=loss)
    with paths.sip_out.impaired(lossy_out), paths.sip_in.impaired(lossy_in):
        for _ in range(CALLS):
            async with world.gate.dial("1000", speak=speech(3.0)) as call:
                await call.lasts(1)
            await ended_by_gateway(world)
    assert paths.sip_out.counts["lost"] > 0
    assert paths.sip_in.counts["lost"] > 0
    assert len(world.gemini.sessions) == 2 * CALLS
    await world.is_whole_again("calls over a lossy path", wait_s=RESENDS_S)


@pytest.mark.virtual_limit(900)
async def test_each_message_may_be_lost_once(world: World) -> None:
    """INVITE, ACK and BYE on the way out; 180, 200 and the BYE's 200 on the way back."""
    world.gemini.on_text(say=speech(0.5))
    for path in (world.gate.paths.sip_out, world.gate.paths.sip_in):
        for number in range(4):
            with path.impaired(Impairment(drop=(number,))):
                async with world.gate.dial("1000", speak=speech(3.0)) as call:
                    await call.lasts(1)
            with path.impaired(Impairment(drop=(number,))):
                await ended_by_gateway(world)
        assert path.counts["lost"] >= 6
    assert len(world.gemini.sessions) == 16
    await world.is_whole_again("calls that each lost one message", wait_s=RESENDS_S)


@pytest.mark.parametrize("ends_it", ["caller", "gateway"])
async def test_a_closed_port_of_the_caller_costs_its_own_sound_only(
    world: World, ends_it: str
) -> None:
    world.gemini.on_text(say=speech(6.0), session=0)
    call = await world.gate.dial("1000", speak=speech(2.0))
    await call.lasts(1)
    call.close_rtp_port()
    await call.lasts(1)
    if ends_it == "caller":
        await call.hang_up()
    else:
        await call.ended(by="gateway", within_s=40)
    await world.is_whole_again("a call whose port was closed")
