"""The closed network: what can be seen of it from outside."""

import sys

import pytest

from ci.torture_job import namespace

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="network namespaces are Linux's own"
)


def test_packets_without_a_way_are_counted_by_the_system() -> None:
    assert namespace.packets_without_a_way() >= 0


def test_a_system_without_unshare_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "UNSHARE", ("no-such-program",))
    assert "is not there" in namespace.why_not()
    monkeypatch.setattr(namespace, "UNSHARE", ("false",))
    assert "no network of our own" in namespace.why_not()
    monkeypatch.setattr(namespace, "UNSHARE", ("true",))
    assert namespace.why_not() == ""
