"""Look at the live page in a real browser: `python ci/live_page.py [FOLDER]`.

A gateway on the fake service, three simulated calls and one before them, and headless Chromium in
front: asked for its token, by day and by night, wide and as a phone, used by the keyboard alone to
call somebody, hang up, hear a recording and stop taking calls.
FOLDER (build/live by default) gets the pictures. Without Chromium it says so loudly and checks
nothing; with `--require` that is a failure.
"""

import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from ci.chromium import BrowserFailed, Tab, browser_job, open_tab
from scenarios.inprocess import serving
from simulator.audio.sound import Sound, sequence, silence_for, speech
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gate.wire import Address
from simulator.gemini.script import hear, say
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from voicegate.gateway import Gateway

TOKEN = "look here"
WIDE, NARROW = (1280, 860), (390, 844)
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CALLED, BUSY = "0700 112233", "0700445566"
TOLD_WHY = (
    "[...document.querySelectorAll('.call.over .state')]"
    ".every(one => one.innerText.includes('ended: caller bye'))"
)
SIGNS = (
    "document.querySelectorAll('article.call:not(.over)').length === 3",
    "document.querySelectorAll('article.call canvas').length === 6",
    "document.querySelectorAll('#rows tr[id^=past]').length === 1",
    "[...document.querySelectorAll('.said')].some(one => one.innerText.includes('tomorrow'))",
    "[...document.querySelectorAll('.state')].some(one => one.innerText.includes('speaks'))",
    "document.getElementById('door').innerText === 'taking calls'",
)
TALKS = (
    ("0888123456", "Can I see the flat tomorrow?", "Gladly. Would ten in the morning suit you?"),
    ("0297345001", "My order has not come.", "I am sorry. Please tell me its number."),
    ("4930901820", "Until when are you open today?", "Until seven, and on Saturday until two."),
)
GREETING = "Good day, how can I help you?"


def caller_sound(number: int) -> Sound:
    """Give what the n-th caller says: one has spoken, one is speaking, one waits."""
    waits = (1.6, 1.8, 2.0)[number]
    speaks = (1.2, 20.0, 1.0)[number]
    return sequence(silence_for(waits), speech(speaks, (-22.0, -18.0, -26.0)[number]))


def write_script(gemini: FakeGemini) -> None:
    """Have the model greet everybody and answer each caller; the first call is a short one."""
    gemini.on_text(say=speech(1.2), text=GREETING)
    gemini.on_speech(hear("Good day."), say(speech(1.5), "Good day to you."), session=0)
    for number, (_, question, answer) in enumerate(TALKS):
        reply = say(speech((20.0, 1.0, 2.5)[number]), answer)
        gemini.on_speech(hear(question), reply, session=number + 1)


async def make_calls(gate: SimulatedGate) -> list[SimulatedCall]:
    """Make one call that is over, and three that go on."""
    async with gate.dial("1000", caller="0700100200", speak=caller_sound(2)) as first:
        await first.lasts(6.5)
    return [
        await gate.dial("1000", caller=caller, speak=caller_sound(number))
        for number, (caller, _, _) in enumerate(TALKS)
    ]


async def give_token(tab: Tab, url: str, folder: Path) -> None:
    """Open the page, and type the token it asks for: first a wrong one."""
    await tab.look(*WIDE)
    await tab.send("Page.navigate", url=url)
    # a quick refusal opens the dialog again before anybody sees it closed
    again = "document.getElementById('ask-text').textContent.includes('not the one')"
    for text, then in (
        ("wrong", f"document.getElementById('ask').open && {again}"),
        (TOKEN, "!document.getElementById('ask').open"),
    ):
        await tab.until("document.getElementById('ask')?.open")
        keep(folder / "token.png", await tab.picture())
        await tab.send("Input.insertText", text=text)
        await tab.press("Enter")
        await tab.until(then)
    await tab.until("document.documentElement.dataset.state === 'live'")
    if await tab.value("location.href") != url or await tab.value("document.cookie"):
        raise BrowserFailed("the token went into the URL or a cookie")
    # the two refusals are what a browser logs as errors of the network
    tab.errors[:] = [error for error in tab.errors if "401" not in error]


def keep(file: Path, picture: bytes) -> None:
    """Write a picture."""
    file.write_bytes(picture)


async def look_at_calls(tab: Tab, folder: Path) -> None:
    """See that all three calls are shown, at each size and by each light."""
    await tab.until("document.documentElement.dataset.calls === '3'")
    for sign in SIGNS:
        await tab.until(sign)
    await asyncio.sleep(6.0)  # the strips of levels fill
    views = {"wide": (*WIDE, False), "dark": (*WIDE, True), "narrow": (*NARROW, False)}
    for name, (width, height, dark) in views.items():
        await tab.look(width, height, dark=dark)
        await asyncio.sleep(0.5)
        keep(folder / f"{name}.png", await tab.picture())
        if await tab.value(TOO_WIDE):
            raise BrowserFailed(f"{name}: wider than the window")
    await tab.look(*WIDE)


async def hear_the_first(tab: Tab, folder: Path) -> None:
    """Open the recording of the call that is over by keys, and shut it again."""
    await tab.tab_to("#rows button")
    await tab.press("Enter")
    await tab.until("document.querySelectorAll('.tape .bars').length === 2")
    await tab.until("document.querySelector('.tape audio')?.duration > 5")
    await tab.until("document.querySelector('.script')?.innerText.includes('Good day to you.')")
    for name, (width, height) in {"recording": WIDE, "recording-narrow": NARROW}.items():
        await tab.look(width, height)
        await asyncio.sleep(0.3)
        keep(folder / f"{name}.png", await tab.picture())
        if await tab.value(TOO_WIDE):
            raise BrowserFailed(f"{name}: wider than the window")
    await tab.look(*WIDE)
    await tab.press("Enter")
    await tab.until("!document.querySelector('.tape')")


async def call_by_keyboard(tab: Tab, gate: SimulatedGate, folder: Path) -> None:
    """Call somebody by keys alone, hang up by keys alone; what cannot be is told in plain words."""
    await order_call(tab, "12@34", "12@34 was not called: a number has 1 to 64 of")
    gate.refuse_calls(486)
    await order_call(tab, BUSY, f"{BUSY} is busy")
    async with gate.answering(CALLED.replace(" ", ""), ring_s=3.0, speak=speech(60.0)) as callee:
        await order_call(tab, CALLED, f"Calling {CALLED.replace(' ', '')}")
        card = "[...document.querySelectorAll('article.call')].at(-1)"
        await tab.until(f"{card}.innerText.includes('to ••• 2233')")
        await tab.look(*NARROW)
        keep(folder / "calling.png", await tab.picture())
        if await tab.value(TOO_WIDE):
            raise BrowserFailed("calling: wider than the window")
        await tab.look(*WIDE)
        await callee.answered()
        await tab.until("document.getElementById('notice').textContent.includes(' answered')")
        await tab.tab_to("article.call:last-child button")
        await tab.press("Enter")
        await tab.until("document.getElementById('sure').open")
        keep(folder / "hang-up.png", await tab.picture())
        await tab.press("Escape")
        if await tab.value("document.getElementById('sure').open") or callee.is_over:
            raise BrowserFailed("Escape did not take the question back")
        await tab.press("Enter")
        await tab.tab_to("#yes")
        await tab.press("Enter")
        await callee.ended("gateway")
    await tab.until("document.querySelectorAll('#rows tr[id^=past]').length === 3")
    await tab.until("document.querySelectorAll('article.call').length === 3")
    # whoever was busy said nothing: of three rows the answered ones can be heard
    await tab.until("document.querySelectorAll('#rows button').length === 2")
    # a refused order is what a browser logs as an error of the network
    tab.errors[:] = [error for error in tab.errors if "400" not in error]


async def order_call(tab: Tab, number: str, told: str) -> None:
    """Type a number and press Enter; wait until the page says this of it."""
    await tab.tab_to("#number")
    await tab.send("Input.insertText", text=number)
    await tab.press("Enter")
    await tab.until(f"document.getElementById('notice').textContent.startsWith('{told}')")


async def stop_by_keyboard(tab: Tab, gateway: Gateway, folder: Path) -> None:
    """Refuse more calls by keys alone; a change of mind changes nothing."""
    await tab.tab_to("#drain")
    await tab.press("Enter")
    await tab.until("document.getElementById('sure').open")
    keep(folder / "sure.png", await tab.picture())
    await tab.press("Escape")
    await tab.until("!document.getElementById('sure').open")
    if gateway.draining or await tab.value("document.activeElement.id") != "drain":
        raise BrowserFailed("Escape did not take the question back")
    await tab.press("Enter")
    await tab.tab_to("#yes")
    await tab.press("Enter")
    await tab.until("document.getElementById('door').innerText.startsWith('stopping')")
    if not gateway.draining:
        raise BrowserFailed("the gateway still takes calls")


async def see_them_end(tab: Tab, calls: list[SimulatedCall], folder: Path) -> None:
    """Hang up two; their cards say why and go, and the list of the last calls has them."""
    for call in calls[:2]:
        await call.hang_up()
    await tab.until("document.querySelectorAll('#rows tr[id^=past]').length === 5")
    await tab.until(TOLD_WHY)
    keep(folder / "ended.png", await tab.picture())
    await tab.until("document.querySelectorAll('article.call').length === 1")


async def visit(browser: str, folder: Path) -> list[str]:
    """Do all of it; give what the page complained of."""
    async with AsyncExitStack() as owned:
        gate = await owned.enter_async_context(SimulatedGate())
        gemini = await owned.enter_async_context(FakeGemini())
        os.environ.update(gemini.environment)
        write_script(gemini)
        place = owned.enter_context(tempfile.TemporaryDirectory(prefix="records-"))
        settings: Settings = {
            "admin": {"token": TOKEN},
            "sip": {"max_calls": 8, "outbound": f"sip:{gate.address}"},
            "call": {"no_speech_timeout_s": 120},
            "record": {"dir": place, "audio": True, "transcript": True},
        }
        gateway = await owned.enter_async_context(serving(settings))
        gate.gateway = Address(gateway.agent.local.host, gateway.agent.local.port)
        tab = await owned.enter_async_context(open_tab(browser))
        assert gateway.admin_address is not None
        await give_token(tab, f"http://127.0.0.1:{gateway.admin_address.port}/", folder)
        calls = await make_calls(gate)
        await look_at_calls(tab, folder)
        await hear_the_first(tab, folder)
        await call_by_keyboard(tab, gate, folder)
        await stop_by_keyboard(tab, gateway, folder)
        await see_them_end(tab, calls, folder)
        errors = list(tab.errors)  # before the drained gateway ends, and its stream with it
        await calls[2].hang_up()
        await tab.until("!document.getElementById('line').hidden")
        return errors


def look(browser: str, folder: Path) -> list[str]:
    """Visit the page; give what is wrong with it."""
    try:
        return asyncio.run(visit(browser, folder))
    except* BrowserFailed as failures:
        found = [str(failure) for failure in failures.exceptions]
    return found


def main() -> int:
    """Look at the page; give the exit code."""
    about = __doc__.partition("\n")[0]
    return browser_job(about, "the live page", look, "build/live")


if __name__ == "__main__":
    sys.exit(main())
