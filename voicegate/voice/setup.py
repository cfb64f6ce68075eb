"""What a telephone call asks of Gemini Live at set-up, and how its socket is opened."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from google.genai import types

from voicegate.settings import GeminiSettings

PREFIX_PADDING_MS = 60
"""Speech so short begins a turn: on the phone "yes" must count."""
SILENCE_DURATION_MS = 500
"""A pause so long ends the caller's turn."""
COMPRESSION_TRIGGER_TOKENS = 25600
COMPRESSION_TARGET_TOKENS = 12800
"""The context is cut to this; without compression a conversation ends after 15 minutes."""


def connect_config(settings: GeminiSettings) -> types.LiveConnectConfig:
    """Give the set-up message of a telephone call."""
    speech = types.SpeechConfig(
        voice_config=types.VoiceConfig(
            prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=settings.voice)
        )
    )
    return types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        system_instruction=settings.system_instruction or None,
        speech_config=speech if settings.voice else None,
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        realtime_input_config=types.RealtimeInputConfig(
            automatic_activity_detection=types.AutomaticActivityDetection(
                start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_HIGH,
                prefix_padding_ms=PREFIX_PADDING_MS,
                silence_duration_ms=SILENCE_DURATION_MS,
            )
        ),
        session_resumption=types.SessionResumptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESSION_TRIGGER_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESSION_TARGET_TOKENS),
        ),
    )


def http_options(settings: GeminiSettings) -> types.HttpOptions:
    """Give the client's options; what stands under async_client_args goes to websockets."""
    host = urlsplit(settings.base_url).hostname or ""
    socket_options: dict[str, Any] = {
        "ping_interval": 20,
        "ping_timeout": 60,
        "close_timeout": 1,
        "open_timeout": 5,
        "max_size": 16 * 1024 * 1024,
        "compression": None,
        "proxy": None if _is_loopback(host) else True,
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
