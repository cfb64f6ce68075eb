"""All tools that calls may use, loaded and checked before the first call, and what they share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from voicegate.blocking import open_threads
from voicegate.settings import ToolsSettings
from voicegate.tools.built_in import built_in_tools
from voicegate.tools.functions import function_tool
from voicegate.tools.tool import CallableTool, Workshop
from voicegate.tools.webhook import open_http, webhook_tool
from voicegate.user_code import UserCodeRefused, look_in

THREADS = 4
"""Plain functions that run at once in the whole process; the others wait within their limit."""
NAME = "voicegate-tools"


def load_tools(settings: ToolsSettings) -> Mapping[str, CallableTool]:
    """Give them by name; raises UserCodeRefused with the setting and its mend."""
    look_in(settings.python_path)
    found: dict[str, CallableTool] = {}
    own = built_in_tools(settings)
    for name in settings.built_in:
        if name not in own:
            raise UserCodeRefused(
                f"tools.built_in: there is no {name!r}; there are {', '.join(own)}"
            )
        _add(found, own[name], "tools.built_in")
    for path in settings.functions:
        _add(found, _function(path, settings.timeout_s), "tools.functions")
    for webhook in settings.webhook:
        _add(found, webhook_tool(webhook), "tools.webhook")
    for name in settings.non_blocking:
        if name not in found or name in settings.built_in:
            known = ", ".join(one for one in found if one not in settings.built_in) or "none"
            raise UserCodeRefused(f"tools.non_blocking: {name!r} is no tool of yours: {known}")
        found[name] = replace(found[name], tool=replace(found[name].tool, waits=False))
    return found


def _function(path: str, timeout_s: float) -> CallableTool:
    try:
        return function_tool(path, timeout_s)
    except UserCodeRefused as error:
        raise UserCodeRefused(f"tools.functions: {error}") from error


def _add(found: dict[str, CallableTool], one: CallableTool, setting: str) -> None:
    name = one.tool.name
    if name in found:
        raise UserCodeRefused(f"{setting}: there is a tool {name!r} already; rename one")
    found[name] = one


@asynccontextmanager
async def open_workshop(*, threads: bool, http: bool) -> AsyncIterator[Workshop]:
    """Open what the process's tools share, as far as they need it."""
    async with AsyncExitStack() as owned:
        # of their own: one that never returns must not hold up the gateway's name look-ups
        pool = await owned.enter_async_context(open_threads(NAME, THREADS)) if threads else None
        yield Workshop(pool, await owned.enter_async_context(open_http()) if http else None)
