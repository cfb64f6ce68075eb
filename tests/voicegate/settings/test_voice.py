"""[voice] and [gemini]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import GeminiSettings


def test_a_base_url_without_tls_is_refused() -> None:
    with pytest.raises(ValidationError, match="must begin with https"):
        GeminiSettings(base_url="http://127.0.0.1:1")
