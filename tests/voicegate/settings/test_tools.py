"""[tools]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import ToolsSettings, WebhookSettings

WEBHOOK = {"name": "lookup", "description": "Looks up.", "url": "https://127.0.0.1/x"}


def test_the_model_may_hang_up_unless_told_otherwise() -> None:
    assert ToolsSettings().built_in == ("hang_up",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "look up"}, "name"),
        ({"description": ""}, "description"),
        ({"url": "127.0.0.1/x"}, "must begin with https:// or http://"),
        ({"parameters": {"type": "string"}}, 'with type = "object"'),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        WebhookSettings.model_validate(WEBHOOK | change)


def test_what_a_webhook_is_sent_with_is_a_secret() -> None:
    webhook = WebhookSettings.model_validate(WEBHOOK | {"headers": {"Authorization": "Bearer x"}})
    assert "Bearer" not in webhook.model_dump_json()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"built_in": ["transfer_call"]}, "set transfer_to, as"),
        ({"transfer_to": {"sales": "sip:300@evil"}}, "transfer_to.sales"),
        ({"transfer_to": {"": "300"}}, "transfer_to"),
    ],
)
def test_a_transfer_that_leads_nowhere_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ToolsSettings.model_validate(change)
