"""Gemini Live through google-genai: one `Gemini` a process, one `GeminiConversation` a call.

The rules behind every line are in docs/gemini.md.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from random import Random

from google import genai

from voicegate.settings import GeminiSettings
from voicegate.voice.connection import Connection, open_connection
from voicegate.voice.conversation import GeminiConversation
from voicegate.voice.faults import Action
from voicegate.voice.models import rules_of
from voicegate.voice.retries import Retries
from voicegate.voice.session import AS_CONFIGURED, VoiceSession, VoiceSetup
from voicegate.voice.setup import connect_config, http_options

DIRECT_SDK_VERSIONS = ("3.3.", "3.4.")
"""SDK versions whose socket has been tried; with any other, audio takes the SDK's own way."""


class Gemini:
    """The service: the process's one client and the conversations open on it."""

    def __init__(self, client: genai.Client, settings: GeminiSettings, random: Random) -> None:
        self._live = client.aio.live
        self._settings = settings
        self._random = random
        self._open: list[GeminiConversation] = []
        self.direct = genai.__version__.startswith(DIRECT_SDK_VERSIONS)

    @property
    def open_conversations(self) -> int:
        """How many are open now, those that are connecting or closing included."""
        return len(self._open)

    def adopt(self, settings: GeminiSettings) -> None:
        """Begin conversations by these settings from now on; those that are open keep theirs."""
        self._settings = settings

    @asynccontextmanager
    async def converse(self, setup: VoiceSetup = AS_CONFIGURED) -> AsyncIterator[VoiceSession]:
        """Open a conversation; raises VoiceError where the model cannot speak in time."""
        settings = self._settings
        model = setup.model or settings.model
        conversation = GeminiConversation(
            partial(self._connect, settings, model, setup),
            rules_of(model),
            Retries(self._random, settings.reconnect_budget_s),
            {
                "internal": Action(settings.on_internal_error),
                "quota": Action(settings.on_quota),
            },
        )
        self._open.append(conversation)
        try:
            async with conversation.carried():
                await conversation.ready()
                yield conversation
        finally:
            self._open.remove(conversation)

    def _connect(
        self, settings: GeminiSettings, model: str, setup: VoiceSetup, handle: str, summary: str
    ) -> AbstractAsyncContextManager[Connection]:
        config = connect_config(settings, setup, handle=handle, summary=summary)
        connecting = self._live.connect(model=model, config=config)
        unhurried = tuple(tool.name for tool in setup.tools if not tool.waits)
        return open_connection(connecting, rules_of(model), direct=self.direct, unhurried=unhurried)


@asynccontextmanager
async def open_gemini(
    settings: GeminiSettings, random: Random | None = None
) -> AsyncIterator[Gemini]:
    """Hold the process's one client for as long as the block runs; `random` spreads the retries.

    The client is dropped inside the loop: one that outlives its loop bears a task in the next.
    """
    client = genai.Client(
        api_key=settings.api_key.get_secret_value(), http_options=http_options(settings)
    )
    try:
        yield Gemini(client, settings, random or Random())
    finally:
        await client.aio.aclose()
