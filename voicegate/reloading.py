"""A reload: which settings may change between calls, and what holds for the next call.

All or nothing: what is wrong is refused in the words of the start, and nothing has changed then.
Calls that are going on keep their plan.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from pydantic import BaseModel

from voicegate.config import Config, ConfigError
from voicegate.logs import get_logger
from voicegate.plan import CallFacts, CallPlan
from voicegate.planning import Planner
from voicegate.tools.tool import Workshop

log = get_logger(__name__)

AT_RELOAD = ("call", "gemini", "tools", "route")
"""Sections that each call reads anew; the others are in open sockets, files and tasks."""
AT_START = {"gemini": ("api_key", "base_url", "api_version", "use_proxy", "ping_timeout_s")}
"""Keys of those sections that the process's one client was built with."""


@dataclass(frozen=True)
class Reloaded:
    """What a reload found to be different, by the names of the settings."""

    applied: tuple[str, ...]
    """These hold from the next call on."""
    need_restart: tuple[str, ...]
    """These stay as they are until the gateway is started again."""


def compare(old: Config, new: Config) -> tuple[Config, Reloaded]:
    """Give the configuration that holds from now on, and what that changes."""
    updates: dict[str, object] = {}
    applied: list[str] = []
    need_restart: list[str] = []
    for name in Config.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        kept = AT_START.get(name, ()) if name in AT_RELOAD else None
        for path, key in _differences(name, before, after):
            (need_restart if kept is None or key in kept else applied).append(path)
        if kept is not None:
            same = {key: getattr(before, key) for key in kept}
            updates[name] = after.model_copy(update=same) if same else after
    return old.model_copy(update=updates), Reloaded(tuple(applied), tuple(need_restart))


def _differences(name: str, before: object, after: object) -> list[tuple[str, str]]:
    """Give the path and the key of each difference; a list of tables is one setting."""
    if not isinstance(before, BaseModel):
        return [] if before == after else [(name, "")]
    keys = type(before).model_fields
    return [(f"{name}.{key}", key) for key in keys if getattr(before, key) != getattr(after, key)]


class Plans:
    """The planner of the calls to come and what its tools share; a reload replaces it."""

    def __init__(
        self,
        config: Config,
        read_again: Callable[[], Config] | None,
        adopt: Callable[[Config], None],
    ) -> None:
        self._config = config
        self._read_again = read_again or (lambda: config)
        self._adopt = adopt
        self._planner = Planner(config)
        self._one_at_a_time = asyncio.Lock()
        self._asked = asyncio.Event()
        self._workshop: Workshop
        self._owned: AsyncExitStack

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Hold what the tools share for as long as the block runs."""
        async with AsyncExitStack() as self._owned:
            self._workshop = await self._owned.enter_async_context(self._planner.open_workshop())
            yield

    async def plan(self, facts: CallFacts) -> CallPlan:
        """Settle how a call is carried."""
        return await self._planner.plan(facts, self._workshop)

    def ask_to_reload(self) -> None:
        """Have a reload soon; what comes of it is logged."""
        self._asked.set()

    async def reloads(self) -> NoReturn:
        """Reload whenever it is asked for."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self.reload()
            except ConfigError as error:
                log.error("reload refused, nothing has changed", why=str(error))

    async def reload(self) -> Reloaded:
        """Read all settings again and carry calls by them from now on; raises ConfigError.

        Files are read and code is imported in the executor: the calls go on meanwhile.
        """
        loop = asyncio.get_running_loop()
        async with self._one_at_a_time:
            read = await loop.run_in_executor(None, self._read_again)
            config, changes = compare(self._config, read)
            planner = await loop.run_in_executor(None, Planner, config)
            if not planner.can_work_in(self._workshop):
                # the one before it stays open for the calls that use it
                fuller = planner.open_workshop(beside=self._workshop)
                self._workshop = await self._owned.enter_async_context(fuller)
            self._planner, self._config = planner, config
            self._adopt(config)
        log.info("settings reloaded", applied=changes.applied, need_restart=changes.need_restart)
        return changes
