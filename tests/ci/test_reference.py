"""The reference of the settings is written from the settings."""

from ci.reference import PAGE, page
from voicegate.config import Config
from voicegate.host.template import section_model


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: uv run python ci/reference.py"


def test_every_key_stands_in_it_with_its_variable_and_its_words() -> None:
    text = page()
    for section, field in Config.model_fields.items():
        model = section_model(field)
        for key, one in model.model_fields.items() if model else ():
            assert f"| `{key}`" in text, (section, key)
            assert f"`VOICEGATE_{section}__{key}`".upper() in text.upper(), (section, key)
            assert one.description, (section, key)
    for name in ("## [[route]]", "## [[tools.webhook]]", "GEMINI_API_KEY", "`VOICEGATE_ROUTE`"):
        assert name in text
