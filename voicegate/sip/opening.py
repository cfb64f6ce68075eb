"""A user agent and its sockets, opened and closed by block."""

from __future__ import annotations

import random as random_module
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from voicegate.aio import beside
from voicegate.sip.address import Address
from voicegate.sip.digest import Guard
from voicegate.sip.endpoint import Endpoint
from voicegate.sip.sockets import Sockets
from voicegate.sip.stream import NO_TLS, StreamRules, Tls
from voicegate.sip.user_agent import UserAgent

MAX_STRANGERS = 64
"""Connections, at each listener, of those who have yet to show a password."""


@asynccontextmanager
async def open_user_agent(
    places: Sequence[Address],
    *,
    product: str,
    allow: Callable[[str], bool],
    ready: Callable[[], bool],
    retry_after_s: int = 5,
    session_expires_s: int = 1800,
    random: random_module.Random | None = None,
    tls: Tls = NO_TLS,
    guard: Guard | None = None,
) -> AsyncIterator[UserAgent]:
    """A user agent that listens at these places for as long as the block runs.

    A place's host is a numeric address; port 0 takes any free one (see `UserAgent.local`).
    `allow(host)` says whose packets are heard, `ready()` whether a new call would be taken; if not,
    INVITE and OPTIONS outside a call get 503 with Retry-After. Let `settled` finish before leaving
    the block: what is unanswered then is resent no more.
    """
    counters: Counter[str] = Counter()
    rules = StreamRules(
        allow,
        is_needed=lambda peer: endpoint.needs(peer),
        on_lost=lambda peer: agent.lose(peer),
        tls=tls,
        max_strangers=MAX_STRANGERS if guard is not None else 0,
    )
    sockets = Sockets(counters, rules)
    endpoint = Endpoint(
        random=random or random_module.SystemRandom(),
        product=product,
        allow=allow,
        ready=ready,
        local_towards=sockets.local_towards,
        guard=guard,
        retry_after_s=retry_after_s,
        session_expires_s=session_expires_s,
        counters=counters,
    )
    agent = UserAgent(endpoint, sockets, retry_after_s)
    async with AsyncExitStack() as owned:
        owned.push_async_callback(agent.close)
        for place in places:
            await sockets.open(place, agent.hear)
        for one in sockets.datagrams:
            await owned.enter_async_context(beside(one.keep_hearing(), f"sip-ear-{one.bound.port}"))
        yield agent
