"""Checks of the way to Gemini that ask nobody, and the mend for each answer that it may give."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from voicegate.config import Config
from voicegate.host.findings import Finding, Verdict, fail, ok, warn

PROXY_VARIABLES = ("HTTPS_PROXY", "ALL_PROXY", "WSS_PROXY", "HTTP_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
DEFAULT_MEND = "check the key, gemini.model and the way to the internet (TCP 443)"
MENDS = (
    # what stands in the fault (in lower case), what to do; of two rows that fit, the first counts
    ("location is not supported", "the service is not offered here: ask Google, or go by Vertex"),
    ("auth token", "check gemini.api_key: it is no key of the Gemini API"),
    ("api key not valid", "check gemini.api_key: make one at aistudio.google.com"),
    ("check gemini.api_key", "make a key at aistudio.google.com, and let it use the Gemini API"),
    ("quota", "raise the limit or the spend cap of the key's project, or wait"),
    ("is not found for", "set gemini.model to a Live model, such as gemini-3.8-live"),
    ("check gemini.base_url", "leave gemini.base_url empty and gemini.api_version at v1beta"),
    ("unknown name", "the model does not know a setting of [gemini]: go back to the defaults"),
    ("invalid argument", "the model does not take a setting of [gemini]: go back to the defaults"),
    ("thinking level", "set gemini.model to gemini-3.8-live, or gemini.thinking_level"),
    (
        "certificate",
        "is this machine's date right? Where a proxy opens TLS: SSL_CERT_FILE = its CA",
    ),
    ("python-socks", "pip install python-socks, or gemini.use_proxy = false"),
    ("proxy", "check HTTPS_PROXY, or gemini.use_proxy = false"),
    ("gaierror", "this machine cannot look up names: check its DNS, or the proxy variables"),
    ("did not answer in time", "open TCP 443 to generativelanguage.googleapis.com, or set a proxy"),
    ("cannot be reached", "open TCP 443 to generativelanguage.googleapis.com, or set a proxy"),
)


def mend_of(fault: str) -> str:
    """Say what to do about what the service or the way to it answered."""
    said = fault.lower()
    return next((mend for words, mend in MENDS if words in said), DEFAULT_MEND)


def api_key(config: Config) -> Finding:
    """There is a key where one is needed, and it can be one."""
    if config.voice.backend != "gemini":
        return ok("gemini.api_key", f"not needed: voice.backend is {config.voice.backend}")
    key = config.gemini.api_key.get_secret_value()
    if not key:
        mend = "set GEMINI_API_KEY, or try the gate without one: VOICEGATE_VOICE__BACKEND=echo"
        text = "there is none yet, and `serve` does not start without one"
        return Finding("gemini.api_key", Verdict.WARN, text, mend, fatal=True)
    if not key.isascii() or any(not sign.isprintable() or sign in " \"'" for sign in key):
        text = "it has blanks, quotes or other signs that no key has"
        mend = "write the key alone, without quotes around it"
        return fail("gemini.api_key", text, mend, fatal=True)
    return ok("gemini.api_key", "set")


def certificates(config: Config, environ: Mapping[str, str] = os.environ) -> Finding:
    """What is to be trusted instead of the usual certificates is there."""
    if config.voice.backend != "gemini":
        return ok("certificates", f"not needed: voice.backend is {config.voice.backend}")
    for name in CERTIFICATES:
        path = environ.get(name)
        if path and not Path(path).exists():
            text = f"{name} is {path}, which is not there: no TLS connection can be made"
            return fail("certificates", text, f"put the file there, or unset {name}")
        if path:
            return ok("certificates", f"those of {name} are trusted")
    return ok("certificates", "the usual ones are trusted")


def proxy_variables(config: Config, environ: Mapping[str, str] = os.environ) -> Finding:
    """No proxy stands in the way without somebody wanting it, and one that is used can be."""
    known = {name.upper(): value for name, value in environ.items() if value}
    found = [name for name in PROXY_VARIABLES if name in known]
    if not (found and config.voice.backend == "gemini" and config.gemini.use_proxy):
        return ok("proxy", "none is used")
    schemes = {urlsplit(known[name]).scheme for name in found}
    if any(one.startswith("socks") for one in schemes) and find_spec("python_socks") is None:
        mend = "pip install python-socks, or gemini.use_proxy = false"
        return fail("proxy", f"{', '.join(found)} names a SOCKS proxy: no way to speak to it", mend)
    text = f"{', '.join(found)} will be used to reach Gemini"
    return warn("proxy", text, "if that is not wanted: gemini.use_proxy = false")
