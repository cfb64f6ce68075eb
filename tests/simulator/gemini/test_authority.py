"""The certificates."""

from pathlib import Path

from cryptography import x509

from simulator.gemini import FakeGemini, kept_authority
from tests.simulator.gemini.bench import Bench, play


def test_a_kept_authority_stays_the_same(tmp_path: Path) -> None:
    first = kept_authority(tmp_path / "ca").ca_file.read_bytes()
    assert kept_authority(tmp_path / "ca").ca_file.read_bytes() == first

    async def scenario(bench: Bench) -> None:
        async with bench.live():
            pass

    play(scenario, FakeGemini(authority=kept_authority(tmp_path / "ca"))).check()


def hosts(server: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(server.read_bytes().partition(b"KEY-----\n")[2])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_another_host_is_named_and_then_kept(tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    kept_authority(folder)
    kept_authority(folder, "10.1.2.3")
    assert {"127.0.0.1", "localhost", "10.1.2.3"} <= set(hosts(folder / "server.pem"))

    before = (folder / "ca.pem").read_bytes()
    kept_authority(folder, "10.1.2.3")
    kept_authority(folder, "localhost")
    kept_authority(folder)
    assert (folder / "ca.pem").read_bytes() == before
