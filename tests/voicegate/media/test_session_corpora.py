"""Other people's broken packets and session descriptions, against a call that is up."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.voicegate.media.lab import HOST, LOUD, Lab, calling, offer, port_of
from voicegate.media.codec import PCMU, peak
from voicegate.media.sdp import OfferRefused, parse_offer

pytestmark = pytest.mark.virtual
CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
PACKETS = ("pion-rtcp-fuzz", "webrtc-fuzz/rtp-corpus", "webrtc-fuzz/rtcp-corpus")
BODIES = ("sofia-sdp", "webrtc-fuzz/sdp-corpus")


def cases(folder: str) -> list[bytes]:
    if not (CORPORA / folder).is_dir():
        pytest.skip(f"the corpus {folder} is not beside the repository")
    return [path.read_bytes() for path in sorted((CORPORA / folder).iterdir())]


@pytest.mark.parametrize("folder", [*PACKETS, "webrtc-fuzz/stun-corpus"])
async def test_fuzz_packets_at_a_live_port_leave_the_call_as_it_was(folder: str) -> None:
    lab, packets = Lab(), cases(folder)
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        heard = []
        for number in range(max(100, len(packets))):
            caller.voice(media, PCMU.encode(LOUD))
            caller.send(media, packets[number % len(packets)])
            heard.append(await media.hear())
        assert [peak(frame) > 8000 for frame in heard[10:]] == [True] * len(heard[10:])
        assert len(caller.got) >= len(heard) - 1
        assert media.counters().lost == 0


@pytest.mark.parametrize("folder", [*PACKETS, "webrtc-fuzz/stun-corpus"])
async def test_fuzz_packets_at_the_rtcp_port_leave_the_call_as_it_was(folder: str) -> None:
    lab, packets = Lab(), cases(folder)
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        for number in range(max(100, len(packets))):
            caller.voice(media, PCMU.encode(LOUD))
            caller.transport.sendto(packets[number % len(packets)], (HOST, port_of(media) + 1))
            heard = await media.hear()
        counters = media.counters()
        assert counters.rtcp_in + counters.rtcp_dropped >= 70  # an empty one is never sent
        assert peak(heard) > 8000
        assert (counters.lost, counters.foreign, counters.malformed) == (0, 0, 0)


@pytest.mark.parametrize("folder", BODIES)
async def test_fuzz_sdp_policy_is_taken_or_refused_and_changes_no_call(folder: str) -> None:
    lab, bodies = Lab(), cases(folder)
    async with calling() as caller, lab.open(offer(caller.port)) as media:
        media.start()
        for body in bodies:
            # whatever it is, it raises the one error that answers it, or none
            with contextlib.suppress(OfferRefused):
                parse_offer(body)
            media.renegotiate(body)
        assert media.renegotiate(offer(caller.port)) is not None
        before = len(caller.got)
        await asyncio.sleep(1)
        assert len(caller.got) - before >= 49
