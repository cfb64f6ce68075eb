"""Planner: what every call needs loaded and checked at start, and each call's plan made from it."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pydantic import ValidationError

from voicegate.config import Config, ConfigError, explain
from voicegate.logs import get_logger
from voicegate.media.wav import WavRefused, read_wav
from voicegate.plan import CallFacts, CallPlan, prompt_with_facts
from voicegate.record.announcement import announced
from voicegate.routes import NO_CHANGES, changes_for
from voicegate.settings import CallChanges
from voicegate.tools.registry import load_tools, open_workshop
from voicegate.tools.tool import CallableTool, Toolset, Workshop
from voicegate.user_code import (
    Function,
    UserCodeRefused,
    is_plain,
    load_function,
    outcome_of,
    run_function,
)
from voicegate.voice.session import VoiceSetup

log = get_logger(__name__)

MAX_WAVS = 100
"""Greetings that are kept; a hook that names more is refused them."""
NO_WORKSHOP = Workshop(None, None)


class Planner:
    """Makes the plans of calls. Building one raises ConfigError for what cannot be used."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._wavs: dict[str, bytes] = {}
        try:
            self._tools = load_tools(config.tools)
        except UserCodeRefused as error:
            raise ConfigError(str(error)) from error
        try:
            self._hook = load_function(config.call.hook) if config.call.hook else None
        except UserCodeRefused as error:
            raise ConfigError(f"call.hook: {error}") from error
        self._apology = self._load_apology(config.call.apology_wav)
        self._check("call", CallChanges(greeting_wav=config.call.greeting_wav))
        for number, route in enumerate(config.route):
            self._check(f"route.{number}", route)

    def open_workshop(
        self, beside: Workshop = NO_WORKSHOP
    ) -> AbstractAsyncContextManager[Workshop]:
        """Open what the user's code needs, or there was in the one before; else nothing."""
        threads, http = self._needs
        return open_workshop(
            threads=threads or beside.threads is not None, http=http or beside.http is not None
        )

    def can_work_in(self, workshop: Workshop) -> bool:
        """Say whether all is there that the user's code needs."""
        threads, http = self._needs
        return (workshop.threads is not None or not threads) and (
            workshop.http is not None or not http
        )

    @property
    def _needs(self) -> tuple[bool, bool]:
        """Whether threads are needed, and whether a client for HTTP."""
        tools = self._config.tools
        plain_hook = self._hook is not None and is_plain(self._hook)
        return plain_hook or bool(tools.functions), bool(tools.webhook)

    def _load_apology(self, path: str) -> bytes:
        try:
            return load_wav("apology_wav", path) if path else b""
        except UserCodeRefused as error:
            raise ConfigError(f"call.{error}") from error

    def _check(self, where: str, changes: CallChanges) -> None:
        """Load what these changes name; raises ConfigError."""
        try:
            self._choose(changes.tools)
            if changes.greeting_wav:
                self._wavs[changes.greeting_wav] = load_wav("greeting_wav", changes.greeting_wav)
        except UserCodeRefused as error:
            raise ConfigError(f"{where}.{error}") from error

    def _choose(self, names: Iterable[str] | None) -> Mapping[str, CallableTool]:
        if names is None:
            return self._tools
        for name in names:
            if name not in self._tools:
                known = ", ".join(self._tools) or "none"
                raise UserCodeRefused(f"tools: there is no {name!r}; there are: {known}")
        return {name: self._tools[name] for name in names}

    async def plan(self, facts: CallFacts, workshop: Workshop) -> CallPlan:
        """Settle how a call is carried; takes as long as the user's hook may take."""
        by_route = changes_for(self._config.route, facts)
        if self._hook is None or by_route.refuse:
            return self._plan(facts, workshop, by_route)
        try:
            by_hook = await self._ask_hook(self._hook, facts, workshop)
            return self._plan(facts, workshop, by_route, by_hook)
        except (UserCodeRefused, ValidationError) as error:
            why = explain(error) if isinstance(error, ValidationError) else str(error)
            log.error("the answer of call.hook cannot be used, the call goes on", why=why)
            return self._plan(facts, workshop, by_route)

    def _plan(self, facts: CallFacts, workshop: Workshop, *layers: CallChanges) -> CallPlan:
        config = self._config
        chosen: dict[str, object] = {}
        greeting, wav = config.call.greeting_of(facts.ours), config.call.greeting_wav
        for layer in layers:
            chosen |= layer.model_dump(include=set(CallChanges.model_fields), exclude_none=True)
            if layer.greeting is not None:
                greeting, wav = layer.greeting, ""
            if layer.greeting_wav is not None:
                wav = layer.greeting_wav
        changes = CallChanges.model_validate(chosen)
        tools = self._choose(changes.tools)
        prompt = changes.system_instruction or config.gemini.system_instruction
        return CallPlan(
            facts,
            VoiceSetup(
                model=changes.model or config.gemini.model,
                voice=changes.voice or config.gemini.voice,
                language=changes.language or "",
                system_instruction=prompt_with_facts(prompt, facts, config.call.prompt_fields),
                tools=tuple(one.tool for one in tools.values()),
            ),
            Toolset(tools, workshop, config.tools),
            greeting=announced("" if wav else greeting, config.record.announcement),
            greeting_pcm16=self._wavs[wav] if wav else b"",
            apology_pcm16=self._apology,
            refuse=changes.refuse,
        )

    async def _ask_hook(self, hook: Function, facts: CallFacts, workshop: Workshop) -> CallChanges:
        """Give what the user's hook answers; a fault of it is loud, and changes nothing."""
        limit_s = self._config.call.hook_timeout_s
        answer = await outcome_of(run_function(hook, workshop.threads, facts), limit_s)
        if isinstance(answer, BaseException):
            log.error("call.hook failed, the call goes on without it", exc_info=answer)
            return NO_CHANGES
        changes = CallChanges.model_validate({} if answer is None else answer)
        wav = changes.greeting_wav
        if wav and wav not in self._wavs and len(self._wavs) < MAX_WAVS:
            loop = asyncio.get_running_loop()
            self._wavs[wav] = await loop.run_in_executor(None, load_wav, "greeting_wav", wav)
        return changes


def load_wav(key: str, path: str) -> bytes:
    """Read what is played to the caller; raises UserCodeRefused."""
    try:
        return read_wav(Path(path).read_bytes())
    except (OSError, WavRefused) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserCodeRefused(f"{key}: {path!r} {why}") from error
