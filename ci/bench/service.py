"""The fake Gemini as a process of its own, so that nobody counts its CPU as the gateway's.

`python -m ci.bench.service` prints one JSON line, the environment that sends a gateway here, and
goes on until it is ended.
"""

import asyncio
import json
import sys
from collections.abc import Iterator

import numpy as np

from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound
from simulator.audio.tones import speech_like
from simulator.gemini.server import FakeGemini
from simulator.gemini.turns import Pacing

LOOP_S = 2.0
CHUNK_MS = 40
PACE = Pacing(burst=1.0, chunk_ms=CHUNK_MS, think_s=0.0, lead_s=0.2)


def endless_voice() -> Sound:
    """Give speech-like sound rendered once a rate: saying it costs the fake next to nothing."""
    rendered: dict[int, Pcm] = {}

    def make(_identity: int, rate: int) -> Iterator[Pcm]:
        if rate not in rendered:
            rendered[rate] = np.ascontiguousarray(speech_like(LOOP_S, rate, seed=5))
        while True:
            yield rendered[rate]

    return Sound("endless voice", float("inf"), make)


async def serve() -> None:
    """Speak to whoever connects, in messages of 40 ms, in real time."""
    async with FakeGemini() as gemini:
        gemini.always(say=endless_voice(), pacing=PACE)
        sys.stdout.write(json.dumps(gemini.environment) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
