"""[admin] the HTTP side for operators."""

import ipaddress

from pydantic import SecretStr, field_validator, model_validator

from voicegate.settings.base import BindAddress, Port, Section


class AdminSettings(Section):
    """[admin] the HTTP side for operators."""

    host: BindAddress = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8080
    """TCP port to listen on; 0 takes any free one."""
    token: SecretStr = SecretStr("")
    """Bearer token; required where host is not a loopback address."""

    @field_validator("token")
    @classmethod
    def _token_fits_in_a_header(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if text != text.strip() or not (text.isascii() and text.isprintable()):
            raise ValueError("write it in ASCII, without blanks around it: browsers send no other")
        return token

    @model_validator(mode="after")
    def _strangers_need_a_token(self) -> "AdminSettings":
        if not ipaddress.ip_address(self.host).is_loopback and not self.token.get_secret_value():
            raise ValueError("token is required where host is not a loopback address")
        return self
