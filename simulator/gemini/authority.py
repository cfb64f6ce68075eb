"""The certificate authority that makes a fake service believable to an unmodified TLS client."""

import atexit
import functools
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509

NAMES = ("127.0.0.1", "localhost", "generativelanguage.googleapis.com")
CA_NAME = "ca.pem"
SERVER_NAME = "server.pem"


@dataclass(frozen=True)
class Authority:
    """A folder with the authority's certificate and one server certificate signed by it."""

    folder: Path
    """Holds ca.pem (to be trusted) and server.pem (key and chain)."""

    @property
    def ca_file(self) -> Path:
        """The certificate that a peer must trust (SSL_CERT_FILE)."""
        return self.folder / CA_NAME

    def server_context(self) -> ssl.SSLContext:
        """Give a fresh server-side TLS context with the certificate for NAMES."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / SERVER_NAME)
        return context


def kept_authority(folder: Path, host: str = "") -> Authority:
    """Give the authority kept in `folder`; made there if none is there yet.

    A gateway started by hand keeps its SSL_CERT_FILE over many runs of the fake this way. Where
    the fake listens on another `host` than NAMES, and the certificate does not name it, a new one
    is made: a TLS client asks for the name it dialled.
    """
    kept = (folder / CA_NAME).is_file() and (folder / SERVER_NAME).is_file()
    if not kept or (host and host not in _named(folder / SERVER_NAME)):
        _issue(folder, host)
    return Authority(folder)


@functools.cache
def process_authority() -> Authority:
    """Give the one authority of this process (making keys costs); its files go at exit."""
    folder = Path(tempfile.mkdtemp(prefix="fake-gemini-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _issue(folder)
    return Authority(folder)


def _named(server: Path) -> list[str]:
    """Give the hosts that a certificate is for."""
    certificate = x509.load_pem_x509_certificates(server.read_bytes())[0]
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in found.value]


def _issue(folder: Path, host: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="voicegate simulator")
    names = dict.fromkeys([*NAMES, *([host] if host else [])])
    server = authority.issue_cert(*names)
    (folder / CA_NAME).write_bytes(authority.cert_pem.bytes())
    target = folder / SERVER_NAME
    # The key is private before its first byte is written.
    target.touch(mode=0o600)
    target.write_bytes(server.private_key_and_cert_chain_pem.bytes())
