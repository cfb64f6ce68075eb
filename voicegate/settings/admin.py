"""[admin] the HTTP side for operators."""

import ipaddress

from pydantic import SecretStr, model_validator

from voicegate.settings.base import BindAddress, Port, Section


class AdminSettings(Section):
    """[admin] the HTTP side for operators."""

    host: BindAddress = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8080
    """TCP port to listen on; 0 takes any free one."""
    token: SecretStr = SecretStr("")
    """Bearer token; required where host is not a loopback address."""

    @model_validator(mode="after")
    def _strangers_need_a_token(self) -> "AdminSettings":
        if not ipaddress.ip_address(self.host).is_loopback and not self.token.get_secret_value():
            raise ValueError("token is required where host is not a loopback address")
        return self
