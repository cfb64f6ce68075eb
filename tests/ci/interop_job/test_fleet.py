"""The shipped configuration with the addresses of a run put in."""

from pathlib import Path

from ci.interop_job.fleet import SHIPPED, configuration, destination_list


def test_only_addresses_differ_from_what_is_shipped(tmp_path: Path) -> None:
    shipped = (SHIPPED / "kamailio.cfg").read_text(encoding="ascii").splitlines()
    ours = configuration(5099, tmp_path / "list").splitlines()
    differing = [new for old, new in zip(shipped, ours, strict=True) if old != new]
    assert differing[0] == "log_stderror=yes"
    assert differing[1] == "listen=udp:127.0.0.1:5099"
    assert str(tmp_path / "list") in differing[2]
    assert len(differing) == 3


def test_the_list_has_the_shape_of_the_shipped_one() -> None:
    shipped = (SHIPPED / "dispatcher.list").read_text(encoding="ascii").splitlines()
    [first, *_] = [line for line in shipped if not line.startswith("#")]
    ours = destination_list([5060], 50).strip()
    shape = [part.split("=")[0] for part in first.replace(";", " ").split()]
    assert [part.split("=")[0] for part in ours.replace(";", " ").split()][2:] == shape[2:]
    assert ours == "1 sip:127.0.0.1:5060 0 0 duid=gateway1;maxload=50"
