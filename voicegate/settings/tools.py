"""[tools] what the model may call."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator

from voicegate.settings.base import Section

Extension = Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{1,64}$")]
TargetName = Annotated[str, Field(min_length=1, max_length=64)]
ToolName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} must begin with https:// or http://")
    return text


class WebhookSettings(Section):
    """[[tools.webhook]] a tool that is an HTTP request."""

    name: ToolName
    """What the model calls it by: letters, digits, underscores."""
    description: Annotated[str, Field(min_length=1)]
    """What it does and when to call it, for the model to read."""
    url: Annotated[str, AfterValidator(_http_url)]
    """Where the arguments are posted as JSON."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """JSON schema of the arguments, an object; empty for none."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """More headers of the request, such as Authorization."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """The model is told of a failure after so long."""

    @model_validator(mode="after")
    def _parameters_are_an_object(self) -> "WebhookSettings":
        if self.parameters and self.parameters.get("type") != "object":
            raise ValueError('parameters must be a JSON schema with type = "object"')
        return self


class ToolsSettings(Section):
    """[tools] what the model may call."""

    built_in: tuple[ToolName, ...] = ("hang_up",)
    """Which of the gateway's own tools the model may call."""
    transfer_to: dict[TargetName, Extension] = Field(default_factory=dict)
    """Whom transfer_call may connect the caller to: a name for the model, and the number."""
    functions: tuple[str, ...] = ()
    """Your Python functions, as package.module:function."""
    webhook: tuple[WebhookSettings, ...] = ()
    """Your HTTP webhooks, as [[tools.webhook]] tables."""
    non_blocking: tuple[ToolName, ...] = ()
    """Which of your tools the model does not wait for: it goes on to talk, and comes to the result
    when it has nothing else to say. A model that knows but one way keeps to it."""
    python_path: tuple[str, ...] = ()
    """Folders in which Python looks for your modules, besides where it looks anyway."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """The model is told of a function's failure after so long."""
    at_once: Annotated[int, Field(ge=1, le=32)] = 4
    """How many tools of one call may run at once; the model is told to wait with more."""
    max_result_chars: Annotated[int, Field(ge=100, le=100_000)] = 8000
    """A longer result (as JSON) is cut."""

    @model_validator(mode="after")
    def _a_transfer_has_targets(self) -> "ToolsSettings":
        if "transfer_call" in self.built_in and not self.transfer_to:
            raise ValueError('built_in has transfer_call: set transfer_to, as { sales = "300" }')
        return self
