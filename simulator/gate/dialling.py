"""What is opened and left: `await gate.dial(..)`, or `async with gate.dial(..) as call`."""

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class Leavable(Protocol):
    """What a Dialling gives: it knows how to end."""

    async def leave(self, *, failing: bool) -> None:
        """The end of `async with`; `failing` when an error is under way."""


Left = TypeVar("Left", bound=Leavable)


class Dialling(Generic[Left]):
    """Awaitable, and an async context manager that hangs up (or signs off) at its end."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Left]]) -> None:
        self._begin = begin
        self._begun: Left | None = None

    def __await__(self) -> Generator[Any, None, Left]:
        return self._begin().__await__()

    async def __aenter__(self) -> Left:
        self._begun = await self._begin()
        return self._begun

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._begun is not None:
            await self._begun.leave(failing=kind is not None)
