"""Load from several machines: each Locust worker drives one `gatesim` process for all its users.

Calls are made by the driver process; Locust only says when, and counts. (asyncio does not work
inside Locust's greenlets, so the driver is a process with JSON lines over its pipes.)
Settings, by environment: GATESIM_NUMBER (1000), GATESIM_LISTEN_S (5), GATESIM_SPEAK (stamps).
"""

import itertools
import json
import os
import subprocess

import gevent
from gevent.event import AsyncResult
from locust import User, constant, events, task
from locust.env import Environment
from locust.runners import MasterRunner

NUMBER = os.environ.get("GATESIM_NUMBER", "1000")
SPEAK = os.environ.get("GATESIM_SPEAK", "stamps")
LISTEN_S = float(os.environ.get("GATESIM_LISTEN_S", "5"))


class Driver:
    """The worker's `gatesim` process."""

    def __init__(self, gateway: str) -> None:
        command = ["gatesim", "gate", "--gateway", gateway, "--calls-from-stdin"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._numbers = itertools.count(1)
        self._waiting: dict[int, AsyncResult] = {}
        self._reader = gevent.spawn(self._read)

    def call(self) -> dict:
        """Make a call and wait for its result."""
        number, result = next(self._numbers), AsyncResult()
        self._waiting[number] = result
        order = {"id": number, "number": NUMBER, "speak": SPEAK, "listen_s": LISTEN_S}
        self._process.stdin.write(json.dumps({"call": order}).encode() + b"\n")
        return result.get()

    def close(self) -> None:
        """Let the calls end, and the process with them."""
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> None:
        for line in self._process.stdout:
            told = json.loads(line)
            found = told.get("result") or told.get("error") or {}
            if (waiting := self._waiting.pop(found.get("id"), None)) is not None:
                waiting.set(found)
        for waiting in self._waiting.values():
            waiting.set({"failures": ["the driver process ended"]})


drivers: list[Driver] = []
"""The one of this worker, for all its users."""


@events.test_start.add_listener
def _open(environment: Environment, **_: object) -> None:
    if not drivers and not isinstance(environment.runner, MasterRunner):  # a master makes no calls
        drivers.append(Driver(environment.host))


@events.quitting.add_listener
def _close(**_: object) -> None:
    for driver in drivers:
        driver.close()


class Caller(User):
    """Somebody who calls again and again; the host is the gateway's HOST:PORT."""

    wait_time = constant(1)

    @task
    def call(self) -> None:
        """Make one call: counted by its set-up time, failed where its judge says so."""
        result = drivers[0].call()
        why = "; ".join(result.get("failures") or [result.get("text", "")])
        events.request.fire(
            request_type="SIP",
            name="call",
            response_time=result.get("setup_ms") or 0,
            response_length=0,
            exception=None if result.get("ok") else RuntimeError(why),
        )
