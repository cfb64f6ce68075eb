"""[sip]"""

import pytest
from pydantic import SecretStr, ValidationError

from voicegate.settings import SipSettings


def test_networks_of_both_families_may_be_allowed() -> None:
    allowed = SipSettings(allow=("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")).allow
    assert allowed == ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")


def test_a_name_is_no_network() -> None:
    with pytest.raises(ValidationError, match="is no address or network"):
        SipSettings(allow=("gate.example",))


def test_tls_needs_a_certificate() -> None:
    with pytest.raises(ValidationError, match=r"set sip\.tls_certificate"):
        SipSettings(transports=("udp", "tls"))


def test_one_transport_at_least() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        SipSettings(transports=())


@pytest.mark.parametrize("users", [{"gate": ""}, {"": "secret"}])
def test_a_user_has_a_name_and_a_password(users: dict[str, SecretStr]) -> None:
    with pytest.raises(ValidationError, match="has no password"):
        SipSettings(users=users)
