"""A tool that is an HTTP request: the arguments go out as JSON, the answer is the result."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from voicegate.settings import WebhookSettings
from voicegate.tools.tool import CallableTool, OnCall, ToolFailed
from voicegate.voice.session import Tool

MAX_ANSWER_BYTES = 256 * 1024
"""More of an answer is not read."""
MAX_CONNECTIONS = 32


@asynccontextmanager
async def open_http() -> AsyncIterator[aiohttp.ClientSession]:
    """Hold the process's one pool of HTTP connections."""
    # proxies of the environment are for browsers, and an answer is not worth a second request
    connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        yield session


def webhook_tool(settings: WebhookSettings) -> CallableTool:
    """Give the tool that these settings describe."""

    async def run(arguments: Mapping[str, object], on: OnCall) -> object:
        if on.workshop.http is None:
            raise AssertionError("a webhook without HTTP")
        return await _post(on.workshop.http, settings, arguments, on)

    return CallableTool(
        Tool(settings.name, settings.description, settings.parameters), run, settings.timeout_s
    )


async def _post(
    http: aiohttp.ClientSession,
    settings: WebhookSettings,
    arguments: Mapping[str, object],
    on: OnCall,
) -> object:
    facts = on.facts
    call = {"id": facts.call_id, "caller": facts.caller, "called": facts.called}
    message = {"tool": settings.name, "arguments": arguments, "call": call}
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    try:
        async with http.post(
            settings.url, json=message, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.content.read(MAX_ANSWER_BYTES)
            status, charset = answer.status, answer.charset or "utf-8"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise ToolFailed(f"the service cannot be reached ({type(error).__name__})") from error
    if not 200 <= status < 300:
        raise ToolFailed(f"the service answered with HTTP {status}")
    return _read(body, charset)


def _read(body: bytes, charset: str) -> object:
    """Give JSON as what it says, and anything else as text."""
    try:
        text = body.decode(charset, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
