"""SimulatedGate: a SIP gate that dials the gateway, is called by it, and judges all it says."""

from typing import Any, Literal

from simulator.audio.sound import Sound, silence

from .authenticator import Authenticator
from .called import AnsweredCall
from .caller import SimulatedCall
from .core import GateCore
from .dialling import Dialling
from .digest import Credentials, Responder
from .party import CallRefused
from .plan import AnswerPlan
from .registrar import Registrar
from .registration import Registration, registration_dialog
from .switchboard import LINGER_EXACT_S, LINGER_REAL_S
from .wire import Address, uri_address

__all__ = ["SimulatedGate", "LINGER_EXACT_S", "LINGER_REAL_S"]

Until = Literal["answer", "ringing", "sent"]

IDENTITIES = 127
"""Callers are 1 to 127, so that 128 to 255 are left to those they speak with."""

REGISTRATIONS_MAX = 100


class SimulatedGate(GateCore):
    """A gate with one SIP socket (more where its profile rotates the port), and its calls.

    Use it as `async with SimulatedGate(gateway=("127.0.0.1", 5060)) as gate:`. On exit every call
    is hung up and every socket closed. Quirks given here hold for all its calls.
    """

    # --- calls ------------------------------------------------------------------------------

    def dial(
        self,
        number: str,
        *,
        speak: Sound = silence,
        caller: str = "100",
        display_name: str | None = None,
        identity: int | None = None,
        expect: int | None = None,
        until: Until = "answer",
        within_s: float = 60.0,
        login: tuple[str, str] | None = None,
        registered: str | None = None,
        **quirks: Any,
    ) -> Dialling[SimulatedCall]:
        """Call the gateway: `await` it, or use it in `async with`, which hangs up at its end.

        Gives the call once it is answered (or rings, or the INVITE is out, by `until`). `expect`
        is the status of a refusal that is due. Raises CallRefused and NoAnswer. `login` is user and
        password for a challenge; `registered` calls the contact this user has registered here.
        An extension dials its own number under its own name, whatever is given here.
        """

        async def begin() -> SimulatedCall:
            gateway, target = self._target(registered)
            me = self.extension
            call = await self._board.new_call(
                self.profile.with_quirks(**quirks),
                self._chance(),
                gateway,
                identity=self._identity(identity),
                number=me.number if me is not None else number,
                credentials=self._credentials(login),
                caller=me.user if me is not None else caller,
                display_name=display_name,
                target=target,
                home=gateway if me is not None else None,
            )
            reached = False
            try:
                call.say(speak)
                call.invite()
                await self._wait(call, until, expect, within_s)
                reached = True
            finally:
                if not reached:
                    call.abandon()
            return call

        return Dialling(begin)

    def answering(
        self,
        number: str | None = None,
        *,
        speak: Sound = silence,
        status: int | None = 200,
        ring_s: float = 0.0,
        early_media: bool = False,
        trying: bool = True,
        ringing: bool = True,
        headers: tuple[str, ...] = (),
        asks: Authenticator | None = None,
        repeat_answer: int = 0,
        identity: int | None = None,
        **quirks: Any,
    ) -> Dialling[AnsweredCall]:
        """Await a call of the gateway (to that number) and answer it by these steps.

        Gives the call at once, so that the gateway can be told to make it:
        `async with gate.answering(ring_s=2.0) as call: ...; await call.answered()`.
        `status` None rings for ever, another than 2xx refuses. See AnswerPlan.
        """
        plan = AnswerPlan(
            number=number,
            trying=trying,
            ringing=ringing,
            early_media=early_media,
            ring_s=ring_s,
            status=status,
            headers=headers,
            asks=asks,
            repeat_answer=repeat_answer,
        )

        async def begin() -> AnsweredCall:
            profile, own = self.profile.with_quirks(**quirks), self._identity(identity)
            call = await self._board.await_call(profile, self._chance(), plan, identity=own)
            call.say(speak)
            return call

        return Dialling(begin)

    def refuse_calls(self, status: int) -> None:
        """Answer this to calls that nobody awaits (480 unless told)."""
        self._reception.unexpected_status = status

    # --- registration -----------------------------------------------------------------------

    def register(
        self, user: str, password: str | None = None, *, expires_s: int = 60
    ) -> Dialling[Registration]:
        """Register to the gateway and stay so; `async with` takes the binding away at its end.

        Raises RegistrationRefused and NoAnswer.
        """

        async def begin() -> Registration:
            if len(self._registrations) >= REGISTRATIONS_MAX:
                raise ValueError(f"more than {REGISTRATIONS_MAX} registrations")
            source = self._chance()
            responder = None
            if password is not None:
                responder = Responder(Credentials(user, password), source)
            registration = Registration(
                registration_dialog(self._dialog(source), user),
                self._send_register,
                responder,
                self.findings,
                self._watch,
                expires_s=expires_s,
            )
            self._registrations.append(registration)
            await registration.on()
            return registration

        return Dialling(begin)

    def accept_registrations(self, users: dict[str, str], **settings: Any) -> Registrar:
        """Be a registrar for these users and passwords; `settings` as Registrar takes them."""
        registrar = Registrar(users, self._chance(), self.findings, self._watch, **settings)
        self._reception.registrar = registrar
        return registrar

    def authenticator(self, users: dict[str, str], **settings: Any) -> Authenticator:
        """Somebody who asks callers for their password: `gate.answering(asks=...)`."""
        return Authenticator(users, self._chance(), **settings)

    # --- within -----------------------------------------------------------------------------

    def _identity(self, identity: int | None) -> int:
        own = identity if identity is not None else 1 + self.dialled % IDENTITIES
        self.dialled += 1
        return own

    def _credentials(self, login: tuple[str, str] | None) -> Credentials | None:
        if self.extension is not None and login is None and self.extension.password:
            return Credentials(self.extension.user, self.extension.password)
        return Credentials(*login) if login is not None else None

    def _target(self, registered: str | None) -> tuple[Address, str | None]:
        """Whom to call: the gateway, or where somebody has registered to be."""
        if registered is None:
            return self._called(), None
        registrar = self._reception.registrar
        binding = registrar.binding(registered) if registrar is not None else None
        address = uri_address(binding.contact) if binding is not None else None
        if binding is None or address is None or not address.is_sendable:
            raise ValueError(f"{registered!r} is not registered at this gate")
        return address, binding.contact

    async def _wait(
        self, call: SimulatedCall, until: Until, expect: int | None, within_s: float
    ) -> None:
        if until == "sent":
            return
        if until == "ringing":
            await call.ringing(within_s)
            return
        try:
            await call.answered(within_s)
        except CallRefused as refused:
            if refused.status != expect:
                raise
        else:
            if expect is not None and call.final_status != expect:
                raise AssertionError(f"answered {call.final_status}, expected {expect}")
