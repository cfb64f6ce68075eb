"""Routes: which calls are carried differently, decided from their facts. Pure."""

import re
from collections.abc import Iterable

from voicegate.plan import CallFacts
from voicegate.settings import CallChanges, RouteSettings
from voicegate.settings.routes import is_regex

NO_CHANGES = CallChanges()


def fits(pattern: str, text: str) -> bool:
    """Say whether a text is what the pattern stands for."""
    if is_regex(pattern):
        return re.fullmatch(pattern[1:-1], text) is not None
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text == pattern


def matches(route: RouteSettings, facts: CallFacts) -> bool:
    """Say whether all patterns of the route fit the call."""
    if route.called is not None and not fits(route.called, facts.called):
        return False
    if route.caller is not None and not fits(route.caller, facts.caller):
        return False
    headers = facts.headers
    return all(
        name.lower() in headers and fits(pattern, headers[name.lower()])
        for name, pattern in route.header.items()
    )


def changes_for(routes: Iterable[RouteSettings], facts: CallFacts) -> CallChanges:
    """Give the first route that matches the call; no changes where none does."""
    return next((route for route in routes if matches(route, facts)), NO_CHANGES)
