"""The live page: one HTML file, read once and served from memory.

Served as a file it would take aiohttp's own threads; here it takes none.
"""

import base64
import hashlib
import re
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).with_name("page.html")


class Page:
    """The file and the headers it goes out with."""

    def __init__(self) -> None:
        self._text = PAGE.read_text(encoding="utf-8")
        self._headers = {
            "Content-Security-Policy": policy(self._text),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }

    async def answer(self, _request: web.Request) -> web.Response:
        """Give the page; it holds nothing of any call, so nobody is asked for a token."""
        return web.Response(text=self._text, content_type="text/html", headers=self._headers)


def policy(html: str) -> str:
    """Let the browser run this page's own script and style, and fetch from nowhere but here."""
    scripts = " ".join(_digests(html, "script"))
    styles = " ".join(_digests(html, "style"))
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; connect-src 'self';"
        " media-src blob:; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def _digests(html: str, element: str) -> list[str]:
    found = re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL)
    digests = (hashlib.sha256(text.encode()).digest() for text in found)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
