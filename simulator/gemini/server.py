"""FakeGemini: the server, from the TCP port to the conversations."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from simulator.audio.sound import Sound
from simulator.gemini.access import Access, read_access
from simulator.gemini.authority import Authority, process_authority
from simulator.gemini.connection import Connection, ListeningSocket
from simulator.gemini.conversation import FakeSession
from simulator.gemini.door import Door
from simulator.gemini.entrance import Entrance, Obstacle
from simulator.gemini.faults import ServiceRulesBroken, Violation
from simulator.gemini.journal import Entry, Journal, Pulse
from simulator.gemini.resumption import HandleStore
from simulator.gemini.rules import MODELS, ModelRules
from simulator.gemini.script import Action, Rule, Script
from simulator.gemini.script import say as say_action
from simulator.gemini.turns import REAL_TIME, Pacing

FIRST_IDENTITY = 128
IDENTITIES = 128
MESSAGE_OCTETS_MAX = 16 << 20
API_KEY = "fake-key"
_WITHOUT_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API.\n"
)


class FakeGemini:
    """The Gemini Live service on loopback, strict where Google is strict.

    Without a script it answers each utterance and each text with 1.5 s of speech-like sound; any
    script replaces that. Settings are attributes and may be changed until the connection they
    matter for is opened.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        authority: Authority | None = None,
        tls: bool = True,
        models: Mapping[str, ModelRules] = MODELS,
        profile: str | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        self.authority = authority or process_authority()
        self.models = models if profile is None else dict.fromkeys(models, models[profile])
        self.pacing = pacing or Pacing()
        self.binary = True
        """Server frames are binary, as those of the service; False: text."""
        self.setup_timeout_s = 10.0
        self.close_timeout_s = 1.0
        self.lifetime_s: float | None = None
        """Life of a connection; None: by the model's rules."""
        self.warning_s: float | None = None
        """goAway comes so long before its end; None: by the model's rules."""
        self.time_factor = 1.0
        """Lives and warnings pass so many times faster."""
        self.script = Script()
        self.scenarios: dict[str, Script] = {}
        """Further scripts, chosen from outside by an API key "fake-NAME" (F3)."""
        self.entrance = Entrance()
        self.handles = HandleStore()
        self.journal = Journal()
        self.sessions: list[FakeSession] = []
        """All conversations in order of connecting."""
        self.errors: list[BaseException] = []
        """Errors of scripts (or of the fake itself); raised by `check` and at the end."""
        self._entrance_violations: list[Violation] = []
        self.door = Door(host, port, self._serve)
        """Its TCP port, for tests that shut it."""
        self._host = host
        self._tls = tls
        self._access: dict[ServerConnection, Access] = {}

    async def __aenter__(self) -> Self:
        self.pulse = Pulse()
        await self.door.open(self.authority if self._tls else None)
        return self

    async def _serve(self, listening: ListeningSocket, authority: Authority | None) -> Server:
        return await serve(
            self._converse,
            sock=listening,
            ssl=authority.server_context() if authority is not None else None,
            process_request=self._admit,
            create_connection=Connection,
            compression=None,
            ping_interval=None,
            open_timeout=self.setup_timeout_s,
            close_timeout=self.close_timeout_s,
            max_size=MESSAGE_OCTETS_MAX,
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
        if error is None:
            self._raise_errors()

    async def aclose(self) -> None:
        """Close all connections and the port; bounded, whatever the peers do."""
        self.door.shut()
        for session in self.sessions:
            if session.closed_at_s is None:
                session.close(1001, "")
        with contextlib.suppress(TimeoutError):
            await self.until(lambda: not self.open_sessions, 3 * self.close_timeout_s)
        # Peers that never came as far as a conversation, and those that do not let go.
        await self.door.emptied()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.door.port

    @property
    def url(self) -> str:
        """The base URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    @property
    def ca_file(self) -> str:
        """The certificate to trust."""
        return str(self.authority.ca_file)

    @property
    def environment(self) -> dict[str, str]:
        """What sends an unmodified google-genai program here."""
        return {
            "GOOGLE_GEMINI_BASE_URL": self.url,
            "SSL_CERT_FILE": self.ca_file,
            "NODE_EXTRA_CA_CERTS": self.ca_file,
            "GEMINI_API_KEY": API_KEY,
        }

    # What it does

    def always(self, *, say: Sound, session: int | None = None, pacing: Pacing = REAL_TIME) -> None:
        """Speak without end from the setup on; nothing interrupts it."""
        self.script.voices.append((session, say, pacing))

    def on_connect(
        self, *actions: Action, say: Sound | None = None, text: str = "", session: int | None = None
    ) -> None:
        """Do this after the setup; several such rows run side by side."""
        self._add("connect", actions, say, text, session)

    def on_text(
        self,
        *actions: Action,
        say: Sound | None = None,
        text: str = "",
        session: int | None = None,
        containing: str = "",
    ) -> None:
        """Answer what the peer writes (realtime text or completed client content)."""
        self._add("text", actions, say, text, session, containing)

    def on_speech(
        self, *actions: Action, say: Sound | None = None, text: str = "", session: int | None = None
    ) -> None:
        """Answer an utterance; the n-th call serves the n-th one, the last all that follow."""
        self._add("speech", actions, say, text, session)

    def on_tool_result(
        self,
        *actions: Action,
        say: Sound | None = None,
        text: str = "",
        session: int | None = None,
        containing: str = "",
    ) -> None:
        """Go on after the answer to a tool call; `containing` is looked for in its name."""
        self._add("tool", actions, say, text, session, containing)

    def refuse(self, status: int, *, times: int | None = None) -> None:
        """Refuse the HTTP upgrade with this status."""
        self.entrance.obstacles.append(Obstacle(None, times, status=status))

    def refuse_setup(
        self, code: int, reason: str = "", *, session: int | None = None, times: int | None = None
    ) -> None:
        """Answer the setup with a close."""
        self.entrance.obstacles.append(Obstacle(session, times, close=(code, reason)))

    def stall_setup(
        self, seconds: float | None = None, *, session: int | None = None, times: int | None = None
    ) -> None:
        """Let setupComplete wait; None: for ever."""
        self.entrance.obstacles.append(Obstacle(session, times, stall_s=seconds))

    def _add(
        self,
        trigger: str,
        actions: tuple[Action, ...],
        say: Sound | None,
        text: str,
        session: int | None,
        containing: str = "",
    ) -> None:
        spoken = (say_action(say, text),) if say is not None else ()
        self.script.rules.append(Rule(trigger, spoken + actions, session, containing))

    def script_for(self, key: str) -> Script:
        """Give the script that an API key asks for."""
        return self.scenarios.get(key.removeprefix("fake-"), self.script)

    # What it saw

    def session(self, number: int) -> FakeSession:
        """Give the conversation of that number, from 0. Raises LookupError."""
        if number >= len(self.sessions):
            raise LookupError(f"no conversation {number}: {len(self.sessions)} connected")
        return self.sessions[number]

    @property
    def open_sessions(self) -> int:
        """Conversations whose connection is up."""
        return sum(session.closed_at_s is None for session in self.sessions)

    @property
    def violations(self) -> list[Violation]:
        """All that peers did wrong."""
        in_sessions = [one for session in self.sessions for one in session.violations]
        return self._entrance_violations + in_sessions

    def check(self) -> None:
        """Raise ServiceRulesBroken if a peer broke a rule, and errors of scripts."""
        self._raise_errors()
        if self.violations:
            raise ServiceRulesBroken(self.violations)

    async def until(self, condition: Callable[[], bool], within_s: float = 30.0) -> None:
        """Wait until something is true of it. Raises TimeoutError."""
        await self.pulse.until(condition, within_s)

    async def connected(self, number: int = 0, within_s: float = 30.0) -> FakeSession:
        """Wait for a conversation to be set up; give it."""
        await self.until(
            lambda: len(self.sessions) > number and self.sessions[number].ready_at_s is not None,
            within_s,
        )
        return self.sessions[number]

    def identity_of(self, number: int) -> int:
        """Give the stamp identity of a conversation: 128 to 255, callers have those below."""
        return FIRST_IDENTITY + number % IDENTITIES

    def _admit(self, ws: ServerConnection, request: Request) -> Response | None:
        access = read_access(
            request.path, {name.lower(): value for name, value in request.headers.raw_items()}
        )
        if access is None:
            self._refused(404, "F2", f"no such path: {request.path.partition('?')[0]}")
            return ws.respond(404, "Not Found\n")
        if not access.key:
            self._refused(403, "F2", "no API key and no token")
            return ws.respond(403, _WITHOUT_KEY)
        status = self.entrance.http_status(access.key)
        if status:
            self._refused(status)
            return ws.respond(status, "refused by the script\n")
        self._access[ws] = access
        return None

    def _refused(self, status: int, rule: str = "", text: str = "") -> None:
        now = asyncio.get_running_loop().time()
        self.entrance.refused_upgrades += 1
        if rule:
            self._entrance_violations.append(Violation(rule, text, None, now))
        self.journal.add(Entry(now, None, "event", f"http {status}", 0, text))
        self.pulse.beat()

    async def _converse(self, ws: ServerConnection) -> None:
        assert isinstance(ws, Connection)
        session = FakeSession(self, ws, len(self.sessions), self._access.pop(ws))
        self.sessions.append(session)
        session.note("event", "connected", 0)
        await session.run()

    def _raise_errors(self) -> None:
        if self.errors:
            raise RuntimeError(f"the script failed: {self.errors[0]!r}") from self.errors[0]
