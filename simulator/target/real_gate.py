"""A gateway behind a real gate, which the simulated gate calls as one of its telephones."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from simulator.gate.caller import NoAnswer
from simulator.gate.extension import Extension
from simulator.gate.gate import SimulatedGate
from simulator.gate.registration import RegistrationRefused
from simulator.target.remote import BadTarget, at_uri, parse_uri
from simulator.target.target import Target

PASSWORD = "VOICEGATE_GATE_PASSWORD"
"""The environment variable that holds the password of the account."""
BARRED = (401, 403, 407)
"""A registrar's word for a wrong user or password."""


class NotLetIn(RuntimeError):
    """A real gate does not take its user; the text says what to look at."""


def behind_gate(uri: str, number: str, resources_url: str = "") -> Target:
    """Give the gateway that a real gate calls when `number` is dialled there; raises BadTarget.

    The password comes from the environment. What the gateway holds is asked for only where it is
    told, since nobody knows where it runs.
    """
    user, host, port = parse_uri(uri)
    if not user:
        raise BadTarget(f"{uri!r}: a gate must be told who calls: sip:USER@HOST")
    extension = Extension(user, os.environ.get(PASSWORD, ""), number)
    if resources_url:
        known = at_uri(uri, resources_url)
    else:
        unseen = "what the gateway behind a gate holds is not known: give --resources URL"
        known = Target(name=uri, address=(host, port), unseen=unseen)
    return replace(known, extension=extension)


@asynccontextmanager
async def signed_in(gate: SimulatedGate) -> AsyncIterator[None]:
    """Register as telephones do before they call; raises NotLetIn.

    A gate without a registrar refuses or says nothing: then it is called without.
    """
    me = gate.extension
    if me is None:
        yield
        return
    try:
        registration = await gate.register(me.user, me.password or None)
    except RegistrationRefused as refused:
        if refused.status in BARRED:
            hint = f"is {PASSWORD} right?" if me.password else f"set {PASSWORD}"
            text = f"the gate at {gate.gateway} does not let {me.user!r} in ({refused}): {hint}"
            raise NotLetIn(text) from refused
        yield
        return
    except NoAnswer:
        yield
        return
    try:
        yield
    finally:
        with suppress(NoAnswer, RegistrationRefused):
            await registration.leave(failing=False)
