"""[admin]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import AdminSettings


def test_loopback_needs_no_token_whatever_its_family() -> None:
    assert AdminSettings(host="::1").host == "::1"


def test_elsewhere_a_token_is_required() -> None:
    with pytest.raises(ValidationError, match="token is required"):
        AdminSettings(host="0.0.0.0")
