"""[sip]"""

import pytest
from pydantic import SecretStr, ValidationError

from voicegate.settings import SipSettings
from voicegate.settings.sip import RegistrarSettings


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


def test_several_registrars_the_first_one_first() -> None:
    more = RegistrarSettings(registrar="sip:10.0.0.2;transport=tls", username="7")
    assert SipSettings(more_registrars=(more,)).registrars == (more,)
    sip = SipSettings(registrar="sip:gate.example:5070", username="100", more_registrars=(more,))
    assert [each.username for each in sip.registrars] == ["100", "7"]


@pytest.mark.parametrize("uri", ["gate", "sip:", "sip:a@b", "sip:gate;transport=ws", "tel:1"])
def test_what_is_no_registrar_is_told_with_an_example(uri: str) -> None:
    with pytest.raises(ValidationError, match="no registrar such as sip:"):
        SipSettings(registrar=uri, username="100")


def test_a_registrar_needs_a_user_name() -> None:
    with pytest.raises(ValidationError, match=r"set sip\.username"):
        SipSettings(registrar="sip:gate")
