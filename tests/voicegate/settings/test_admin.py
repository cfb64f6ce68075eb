"""[admin]"""

import pytest
from pydantic import SecretStr, ValidationError

from voicegate.config import explain
from voicegate.settings import AdminSettings


def test_loopback_needs_no_token_whatever_its_family() -> None:
    assert AdminSettings(host="::1").host == "::1"


@pytest.mark.parametrize("token", ["schlüssel", " abc", "abc\n", "a\x00b"])
def test_a_token_that_no_browser_can_send_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="write it in ASCII") as caught:
        AdminSettings(token=SecretStr(token))
    assert token.strip() not in explain(caught.value)


def test_elsewhere_a_token_is_required() -> None:
    with pytest.raises(ValidationError, match="token is required"):
        AdminSettings(host="0.0.0.0")
