"""The live page: one file, its own script and style alone, nothing from elsewhere."""

import base64
import hashlib
import json
import re

import pytest

from voicegate.admin.page import PAGE, policy
from voicegate.endings import HangupReason

HTML = PAGE.read_text(encoding="utf-8")


def test_the_policy_names_the_digest_of_the_script_and_the_style() -> None:
    text = "const a = 1;"
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy(f"<style>b</style><script>{text}</script>")


def test_every_reason_has_its_colour() -> None:
    """A busy number was green once, as a call that went well."""
    found = re.search(r"const BAD = (\[.*?\]);\s*const ODD = (\[.*?\]);", HTML, re.DOTALL)
    assert found is not None
    coloured = {*json.loads(found[1]), *json.loads(found[2])}
    # as a reason, it is the history's own: a record without an end
    assert coloured - set(HangupReason) == {"cut_off"}
    assert set(HangupReason) - coloured == {
        *("caller_bye", "caller_cancel", "callee_bye", "no_speech", "goodbye", "max_duration"),
        *("operator", "transferred", "refused"),
    }


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", HTML.replace("www.w3.org", ""))
    assert not re.findall(r"<(?:link|img|iframe)[^>]+(?:src|href)=(?![\"']?data:)", HTML)
    assert not re.findall(r"@import|url\((?!data:)", HTML)


@pytest.mark.parametrize("inline", [r'\sstyle="', r'\son[a-z]+="', "innerHTML", "eval"])
def test_nothing_that_the_policy_forbids_or_a_caller_could_write_into(inline: str) -> None:
    assert not re.findall(inline, HTML)


def test_the_token_is_kept_for_the_session_only() -> None:
    assert "sessionStorage" in HTML
    assert "localStorage" not in HTML
    assert "document.cookie" not in HTML
    assert "token=" not in HTML
