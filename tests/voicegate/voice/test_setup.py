"""What a call asks of the service, and how its socket is opened."""

import pytest
from google.genai import types

from voicegate.settings import GeminiSettings
from voicegate.voice.session import Tool, VoiceSetup
from voicegate.voice.setup import connect_config, http_options


def test_the_socket_has_the_options_of_a_telephone_call() -> None:
    options = http_options(GeminiSettings())
    assert options.api_version == "v1beta"
    assert options.async_client_args == {
        "ping_interval": 20,
        "ping_timeout": 60,
        "close_timeout": 1,
        "open_timeout": 5,
        "max_size": 16 * 1024 * 1024,
        "compression": None,
        "proxy": True,
    }


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "https://localhost:1", "https://[::1]:1"])
def test_no_proxy_stands_before_this_machine(url: str) -> None:
    arguments = http_options(GeminiSettings(base_url=url)).async_client_args
    assert arguments
    assert arguments["proxy"] is None


def test_trap_15_a_proxy_of_the_environment_may_be_passed_by() -> None:
    arguments = http_options(GeminiSettings(use_proxy=False)).async_client_args
    assert arguments
    assert arguments["proxy"] is None


def test_the_voice_may_be_the_models_own_choice() -> None:
    assert connect_config(GeminiSettings(voice="")).speech_config is None
    speech = connect_config(GeminiSettings(voice="Kore")).speech_config
    assert speech
    assert speech.voice_config
    assert speech.voice_config.prebuilt_voice_config
    assert speech.voice_config.prebuilt_voice_config.voice_name == "Kore"


def test_an_empty_prompt_is_none() -> None:
    assert connect_config(GeminiSettings(system_instruction="")).system_instruction is None


def test_nothing_is_asked_that_the_default_model_refuses() -> None:
    config = connect_config(GeminiSettings())
    assert config.thinking_config is None
    assert config.proactivity is None
    assert config.enable_affective_dialog is None


def test_a_call_may_have_a_prompt_a_voice_a_language_and_tools_of_its_own() -> None:
    weather = Tool("weather", "When asked about the weather.", {"type": "object"})
    setup = VoiceSetup(
        voice="Kore", language="bg-BG", system_instruction="Speak Bulgarian.", tools=(weather,)
    )
    config = connect_config(GeminiSettings(voice="Puck"), setup)
    assert config.system_instruction == "Speak Bulgarian."
    assert config.speech_config
    assert config.speech_config.language_code == "bg-BG"
    assert config.tools
    [tool] = config.tools
    assert isinstance(tool, types.Tool)
    assert tool.function_declarations
    assert tool.function_declarations[0].name == "weather"
    assert tool.function_declarations[0].behavior is types.Behavior.BLOCKING


def test_a_phone_is_heard_at_once_and_may_interrupt_by_default() -> None:
    config = connect_config(GeminiSettings()).realtime_input_config
    assert config
    assert config.automatic_activity_detection
    detection = config.automatic_activity_detection.model_dump(mode="json", exclude_none=True)
    assert detection == {
        "start_of_speech_sensitivity": "START_SENSITIVITY_HIGH",
        "end_of_speech_sensitivity": "END_SENSITIVITY_HIGH",
        "prefix_padding_ms": 60,
        "silence_duration_ms": 500,
    }
    assert config.activity_handling is None


def test_the_detection_of_turns_is_a_matter_of_settings() -> None:
    settings = GeminiSettings(
        start_sensitivity="low",
        end_sensitivity="low",
        prefix_padding_ms=200,
        silence_duration_ms=900,
        no_interruption=True,
    )
    config = connect_config(settings).realtime_input_config
    assert config
    assert config.automatic_activity_detection
    detection = config.automatic_activity_detection.model_dump(mode="json", exclude_none=True)
    assert detection == {
        "start_of_speech_sensitivity": "START_SENSITIVITY_LOW",
        "end_of_speech_sensitivity": "END_SENSITIVITY_LOW",
        "prefix_padding_ms": 200,
        "silence_duration_ms": 900,
    }
    assert config.activity_handling is types.ActivityHandling.NO_INTERRUPTION
