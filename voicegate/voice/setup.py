"""What a telephone call asks of Gemini Live at set-up, and how its socket is opened."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from google.genai import types

from voicegate.settings import GeminiSettings
from voicegate.voice.models import ModelRules, rules_of
from voicegate.voice.session import AS_CONFIGURED, Tool, VoiceSetup

COMPRESSION_TRIGGER_TOKENS = 25600
COMPRESSION_TARGET_TOKENS = 12800
"""The context is cut to this; without compression a conversation ends after 15 minutes."""

START_SENSITIVITY = {
    "high": types.StartSensitivity.START_SENSITIVITY_HIGH,
    "low": types.StartSensitivity.START_SENSITIVITY_LOW,
}
END_SENSITIVITY = {
    "high": types.EndSensitivity.END_SENSITIVITY_HIGH,
    "low": types.EndSensitivity.END_SENSITIVITY_LOW,
}


def connect_config(
    settings: GeminiSettings,
    setup: VoiceSetup = AS_CONFIGURED,
    *,
    handle: str = "",
    summary: str = "",
) -> types.LiveConnectConfig:
    """Give the set-up message of a telephone call; one that is gone on with, or begun anew."""
    rules = rules_of(setup.model or settings.model)
    prompt = "\n\n".join(
        part for part in (setup.system_instruction or settings.system_instruction, summary) if part
    )
    return types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        system_instruction=prompt or None,
        speech_config=_speech(setup.voice or settings.voice, setup.language),
        tools=_tools(setup.tools, rules) if setup.tools else None,
        thinking_config=_thinking(settings) if rules.thinking_level else None,
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        realtime_input_config=_turns(settings),
        # without a handle the field is left out: the service takes a null for a fault
        session_resumption=types.SessionResumptionConfig(handle=handle or None),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESSION_TRIGGER_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESSION_TARGET_TOKENS),
        ),
    )


def _turns(settings: GeminiSettings) -> types.RealtimeInputConfig:
    """Say what is the beginning and the end of the caller's speech, and what it interrupts."""
    return types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(
            start_of_speech_sensitivity=START_SENSITIVITY[settings.start_sensitivity],
            end_of_speech_sensitivity=END_SENSITIVITY[settings.end_sensitivity],
            prefix_padding_ms=settings.prefix_padding_ms,
            silence_duration_ms=settings.silence_duration_ms,
        ),
        activity_handling=types.ActivityHandling.NO_INTERRUPTION
        if settings.no_interruption
        else None,
    )


def _speech(voice: str, language: str) -> types.SpeechConfig | None:
    if not voice and not language:
        return None
    prebuilt = types.PrebuiltVoiceConfig(voice_name=voice)
    return types.SpeechConfig(
        voice_config=types.VoiceConfig(prebuilt_voice_config=prebuilt) if voice else None,
        language_code=language or None,
    )


def _thinking(settings: GeminiSettings) -> types.ThinkingConfig:
    return types.ThinkingConfig(thinking_level=types.ThinkingLevel(settings.thinking_level.upper()))


def _tools(tools: tuple[Tool, ...], rules: ModelRules) -> types.ToolListUnion:
    """Declare them; each is waited for unless it says otherwise, as far as the model can."""
    declared = [
        types.FunctionDeclaration(
            name=tool.name,
            description=tool.description,
            parameters_json_schema=dict(tool.parameters) or None,
            behavior=_behavior(tool, rules),
        )
        for tool in tools
    ]
    return [types.Tool(function_declarations=declared)]


def _behavior(tool: Tool, rules: ModelRules) -> types.Behavior | None:
    if not rules.tool_behavior:
        return None  # a model that knows but one way must not be told of any
    return types.Behavior(rules.tool_behavior if tool.waits else "NON_BLOCKING")


def http_options(settings: GeminiSettings) -> types.HttpOptions:
    """Give the client's options; what stands under async_client_args goes to websockets."""
    host = urlsplit(settings.base_url).hostname or ""
    socket_options: dict[str, Any] = {
        "ping_interval": 20,
        "ping_timeout": settings.ping_timeout_s,
        "close_timeout": 1,
        "open_timeout": 5,
        "max_size": 16 * 1024 * 1024,
        "compression": None,
        "proxy": True if settings.use_proxy and not _is_loopback(host) else None,
    }
    return types.HttpOptions(
        base_url=settings.base_url or None,
        api_version=settings.api_version,
        async_client_args=socket_options,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
