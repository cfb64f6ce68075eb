"""Two ways to read the service's messages: the SDK's socket itself, or the SDK's receive()."""

import json
from collections.abc import AsyncGenerator
from typing import Protocol, cast

from google.genai import types
from google.genai.live import AsyncSession


class Reader(Protocol):
    """Gives the service's messages as parsed JSON with camelCase keys."""

    async def read(self) -> object:
        """Wait for the next message; raises ValueError or TypeError for one that is none."""

    async def aclose(self) -> None:
        """Let go of the connection."""


class SocketReader:
    """Reads the SDK's socket itself."""

    def __init__(self, live: AsyncSession) -> None:
        self._socket = live._ws

    async def read(self) -> object:
        return json.loads(await self._socket.recv(decode=False))

    async def aclose(self) -> None:
        """Nothing is held."""


class SdkReader:
    """Reads by the SDK's receive(), which ends at every turn and is entered again."""

    def __init__(self, live: AsyncSession) -> None:
        self._live = live
        self._turn = _turn(live)

    async def read(self) -> object:
        while True:
            try:
                message = await anext(self._turn)
            except StopAsyncIteration:
                self._turn = _turn(self._live)
                continue
            return message.model_dump(mode="json", by_alias=True, exclude_none=True)

    async def aclose(self) -> None:
        """Close the generator, which would else be closed by a task of the collector's."""
        await self._turn.aclose()


def _turn(live: AsyncSession) -> AsyncGenerator[types.LiveServerMessage, None]:
    """Begin the next turn; the SDK declares an iterator, and gives a generator to be closed."""
    return cast(AsyncGenerator[types.LiveServerMessage, None], live.receive())
