"""A check that registers, as the gateway would, at each registrar of [sip], and leaves again."""

import asyncio

from voicegate.call import RETRY_AFTER_S
from voicegate.config import Config
from voicegate.host.findings import Finding, fail, ok
from voicegate.settings import SipSettings
from voicegate.settings.sip import RegistrarSettings
from voicegate.sip.registration import Account, RegistrationState
from voicegate.trunk import CannotListen, open_trunk

WITHIN_S = 5.0
LEAVE_S = 2.0
MENDS = {
    401: "check sip.username and sip.password against the account at the registrar",
    403: "check sip.username and sip.password; may this address register there?",
    404: "the registrar knows no sip.username like this",
    407: "check sip.username and sip.password against the account at the registrar",
    423: "raise sip.register_s",
}


async def registrars_know_us(config: Config) -> list[Finding]:
    """Register at each, from a port of its own, for as long as it takes to be answered."""
    return [await _known_at(config.sip, one) for one in config.sip.registrars]


async def _known_at(sip: SipSettings, account: RegistrarSettings) -> Finding:
    name = f"registrar {account.registrar}"
    try:
        status = await _status(_alone(sip, account))
    except TimeoutError:  # an OSError too: before those
        mend = "is it on, and does it listen there? Is its address right, and the firewall open?"
        return fail(name, f"no answer to REGISTER within {WITHIN_S:.0f} s", mend)
    except (CannotListen, OSError) as error:
        return fail(name, str(error), "check its name, and sip.host and sip.transports")
    if status == 0:
        return ok(name, f"knows {account.username}; taken away again")
    mend = MENDS.get(status, "look into the log of the registrar")
    return fail(name, f"refuses to register {account.username}: {status}", mend)


def _alone(sip: SipSettings, account: RegistrarSettings) -> SipSettings:
    """Give settings with that one registrar, on ports that are free."""
    first = account.model_dump(include={"registrar", "username", "password"})
    return sip.model_copy(update={**first, "port": 0, "tls_port": 0, "more_registrars": ()})


async def _status(sip: SipSettings) -> int:
    """Give 0 once registered, or the status of the refusal; TimeoutError where none comes."""
    answered = asyncio.get_running_loop().create_future()

    def tell(_: Account, state: RegistrationState, status: int) -> None:
        known = state in (RegistrationState.UP, RegistrationState.LOST)
        if known and not answered.done():
            answered.set_result(status if state is RegistrationState.LOST else 0)

    trunk = open_trunk(
        sip,
        allow=lambda _: False,
        ready=lambda: False,
        retry_after_s=RETRY_AFTER_S,
        tell=tell,
    )
    async with trunk as agent:
        try:
            async with asyncio.timeout(WITHIN_S):
                return int(await answered)
        finally:
            agent.unregister()
            await agent.settled(LEAVE_S)
