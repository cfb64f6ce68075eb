"""A headless Chromium, driven over its own debugging protocol: no driver, no package more."""

import argparse
import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ci.interop_job.checks import say

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
START_LIMIT_S = 30.0
ANSWER_LIMIT_S = 20.0
POLL_S = 0.05
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What any use of it here needs."""
DRIVEN = (
    *FLAGS,
    "--no-proxy-server",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-port=0",
)
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}


class BrowserFailed(Exception):
    """The browser does not do what it is told; the text says what."""


def browser_job(about: str, what: str, look: Callable[[str, Path], list[str]], place: str) -> int:
    """The frame of the jobs that look at pages: arguments, a browser, the sum; the exit code.

    `look` gets the browser and a folder, and gives what is wrong."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(place))
    parser.add_argument("--require", action="store_true", help="no browser is a failure")
    arguments = parser.parse_args()
    browser = find_browser()
    if browser is None:
        say(f"SKIPPED: {what.upper()} WAS NOT LOOKED AT. There is no Chromium here: install it, or")
        say(f"set CHROMIUM to its path (looked for: {', '.join(NAMES)})")
        return 1 if arguments.require else 0
    arguments.folder.mkdir(parents=True, exist_ok=True)
    found = look(browser, arguments.folder)
    for text in found:
        say(f"FAILED {text}")
    if not found:
        say(f"ok: {what} stands in {Path(browser).name}; see {arguments.folder}")
    return 1 if found else 0


def find_browser() -> str | None:
    """Give the command of a Chromium: CHROMIUM of the environment, else the first on the path."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.errors: list[str] = []
        """What the page complained of: on its console, uncaught, refused or not loaded."""
        self._socket = socket
        self._asked = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Take what the browser says until it goes."""
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told and (answer := self._answers.pop(told["id"], None)):
                answer.set_result(told)
            elif error := complaint(told):
                self.errors.append(error)

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; give its answer."""
        self._asked += 1
        answer = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._asked, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_LIMIT_S):
            told = await answer
        if "error" in told:
            raise BrowserFailed(f"{method}: {told['error']}")
        result: dict[str, Any] = told["result"]
        return result

    async def value(self, expression: str) -> Any:
        """Give the value of an expression of JavaScript in the page."""
        told = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise BrowserFailed(f"{expression}: {told['exceptionDetails']['text']}")
        return told["result"].get("value")

    async def until(self, expression: str, within_s: float = ANSWER_LIMIT_S) -> None:
        """Wait until an expression is true in the page."""
        try:
            async with asyncio.timeout(within_s):
                while not await self.value(expression):  # noqa: ASYNC110 - the page has no event
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise BrowserFailed(f"never came true within {within_s} s: {expression}") from None

    async def press(self, key: str) -> None:
        """Press and release one of KEYS."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **told, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **told)

    async def tab_to(self, selector: str, most: int = 40) -> None:
        """Press Tab until an element of this kind has the focus."""
        for _ in range(most):
            if await self.value(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            await self.press("Tab")
        raise BrowserFailed(f"{most} times Tab, and no {selector} had the focus")

    async def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Have a window of this size (a phone, where it is narrow), by day or by night."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if width < 600 else 1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self) -> bytes:
        """Give a picture (PNG) of the whole page."""
        told = await self.send("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(told["data"])


def complaint(told: dict[str, Any]) -> str | None:
    """Say what the page complains of in one message of the browser; None for nothing."""
    what = told.get("params", {})
    match told.get("method"):
        case "Runtime.exceptionThrown":
            return f"uncaught: {what['exceptionDetails'].get('exception', what)}"
        case "Runtime.consoleAPICalled" if what["type"] in ("error", "warning", "assert"):
            return f"console: {[one.get('value') for one in what['args']]}"
        case "Log.entryAdded" if what["entry"]["level"] in ("error", "warning"):
            return f"log: {what['entry']['text']} {what['entry'].get('url', '')}"
    return None


@asynccontextmanager
async def open_tab(browser: str) -> AsyncIterator[Tab]:
    """Start the browser, give its one page, and end both with the block."""
    async with _running(browser) as process:
        address = await _address(process)
        async with aiohttp.ClientSession(trust_env=False) as client, asyncio.TaskGroup() as group:
            reading = group.create_task(_discard(process))  # a full pipe would stop the browser
            async with client.get(f"http://{address}/json") as answer:
                pages = await answer.json(content_type=None)
            [url] = [one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page"]
            async with client.ws_connect(url, max_msg_size=0) as socket:
                tab = Tab(socket)
                listening = group.create_task(tab.listen())
                try:
                    for domain in ("Page", "Runtime", "Log"):
                        await tab.send(f"{domain}.enable")
                    yield tab
                finally:
                    listening.cancel()
                    reading.cancel()


@asynccontextmanager
async def _running(browser: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            browser,
            *DRIVEN,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Read where the browser listens from what it says at its start."""
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_LIMIT_S):
            async for line in process.stderr:
                if b"DevTools listening on ws://" in line:
                    return line.decode().partition("ws://")[2].partition("/")[0]
    except TimeoutError:
        pass
    raise BrowserFailed("the browser did not start")


async def _discard(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async for _ in process.stderr:
        pass
