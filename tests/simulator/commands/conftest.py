"""One echo gateway for all commands that only need somebody to call."""

from collections.abc import Iterator

import pytest

from tests.simulator.commands.processes import ECHO, serving


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The SIP URI of a gateway that says back what the caller says."""
    with serving(tmp_path_factory.mktemp("echo"), **ECHO) as seen:
        yield f"sip:127.0.0.1:{seen['gateway ready']['port']}"
