"""What a gateway elsewhere holds, by its `GET /resources`: before a run and after it."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

TOKEN_VARIABLE = "GATESIM_RESOURCES_TOKEN"
ASK_S = 5.0
AGAIN_S = 0.5

Resources = Mapping[str, Any]


class Unreadable(RuntimeError):
    """The resources could not be read; says why."""


async def read_resources(url: str) -> Resources:
    """Ask once. Raises Unreadable. A token is taken from GATESIM_RESOURCES_TOKEN."""
    import aiohttp  # only where it is asked for: it loads much

    token = os.environ.get(TOKEN_VARIABLE, "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    patience = aiohttp.ClientTimeout(total=ASK_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience, headers=headers) as http,
            http.get(url) as answer,
        ):
            answer.raise_for_status()
            found = json.loads(await answer.text())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Unreadable(f"{url}: {error or type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unreadable(f"{url}: no JSON object")
    return found


async def read_when_back(url: str, before: Resources, within_s: float) -> Resources:
    """Ask until nothing more is held than before, at most so long; give the last answer."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while True:
        after = await read_resources(url)
        if not left_behind(before, after) or loop.time() >= until_s:
            return after
        await asyncio.sleep(AGAIN_S)


def left_behind(before: Resources, after: Resources) -> list[str]:
    """Tell what is there after that was not before: names where they are told, else numbers.

    Ports that rest are no leak: they rest for some seconds after each call.
    """
    return [*_more("", before, after)]


def _more(place: str, before: Resources, after: Resources) -> Iterator[str]:
    for key, value in after.items():
        name, was = f"{place}{key}", before.get(key)
        if isinstance(value, dict):
            yield from _more(f"{name}.", was if isinstance(was, dict) else {}, value)
        elif isinstance(value, list):
            known = Counter(map(str, was if isinstance(was, list) else []))
            new = sorted((Counter(map(str, value)) - known).elements())
            yield from (f"{name}: {one}" for one in new)
        elif _is_count(value) and key != "resting":
            held = was if _is_count(was) else 0
            if value > held:
                yield f"{name}: {held} -> {value}"


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
