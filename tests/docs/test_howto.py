"""The how-tos' files for other programs: each option is one that the program has.

The names are taken from the programs' own words: Asterisk's `sip.conf.sample`, `pjsip.conf.sample`
and dialplan applications, mod_sofia's reader of gateways, FreeSWITCH's reference.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_commands import blocks, read
from voicegate.config import load

HOWTO = Path(__file__).parents[2] / "docs/howto"
GATEWAY, GATE = "192.168.1.30", "192.168.1.20"
CODECS = {"all", "alaw", "ulaw"}
YES_NO = {"yes", "no"}
ANY = re.compile(r"[\w.:@/-]+")
Values = set[str] | re.Pattern[str]
CHAN_SIP: dict[str, Values] = {
    "type": {"peer", "user", "friend"},
    "host": ANY,
    "port": re.compile(r"\d+"),
    "context": ANY,
    "insecure": {"port", "invite", "port,invite"},
    "disallow": CODECS,
    "allow": CODECS,
    "dtmfmode": {"rfc2833", "inband", "info", "auto"},
    "directmedia": YES_NO | {"nonat", "update", "outgoing"},
    "qualify": YES_NO,
}
PJSIP: dict[str, dict[str, Values]] = {
    "transport": {"protocol": {"udp", "tcp", "tls"}, "bind": ANY},
    "endpoint": {
        "transport": ANY,
        "context": ANY,
        "disallow": CODECS,
        "allow": re.compile(r"(alaw|ulaw)(,(alaw|ulaw))*"),
        "aors": ANY,
        "auth": ANY,
        "direct_media": YES_NO,
        "dtmf_mode": {"rfc4733", "inband", "info", "auto", "auto_info"},
    },
    "aor": {"contact": re.compile(r"sip:[\d.]+:\d+"), "qualify_frequency": re.compile(r"\d+")},
    "identify": {"endpoint": ANY, "match": re.compile(r"[\d.]+")},
    "auth": {"auth_type": {"userpass", "md5", "digest"}, "username": ANY, "password": ANY},
}
DIALPLAN = re.compile(r"(?:exten => _?[0-9XZN.+]+,(?:1|n)| same => n)(?:\((\w+)\))?,(\w+)\((.*)\)")
APPLICATIONS = {"Dial", "Hangup", "GotoIf"}
DIALLED = re.compile(r"(SIP/voicegate2?/\$\{EXTEN\}|PJSIP/\$\{EXTEN\}@voicegate),\d+")
SOFIA_GATEWAY = {
    "proxy": f"{GATEWAY}:5060",
    "register": "false",
    "username": None,
    "password": None,
    "caller-id-in-from": "true",
    "ping": "15",
}
FREESWITCH_ACTIONS = {"set", "bridge"}
FREESWITCH_VARIABLES = {"hangup_after_bridge", "absolute_codec_string"}


def sections(block: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The sections of one of Asterisk's files; a name may come again with another type."""
    lines = [line.partition(";")[0].rstrip() for line in block.splitlines()]
    for name, body in re.findall(r"\[([\w-]+)\]\n(.*?)(?=\n\[|\Z)", "\n".join(lines), re.DOTALL):
        pairs = [line.partition("=") for line in body.splitlines() if line]
        yield name, [(key, value) for key, _, value in pairs]


def faults(known: dict[str, Values], found: list[tuple[str, str]]) -> list[str]:
    """What Asterisk does not know."""
    wrong = []
    for key, value in found:
        values = known.get(key, set())
        fits = value in values if isinstance(values, set) else values.fullmatch(value)
        if not fits:
            wrong.append(f"{key}={value}")
    return wrong


def pjsip_faults(block: str) -> list[str]:
    wrong = []
    for name, found in sections(block):
        kind = dict(found).get("type", "")
        known = PJSIP.get(kind, {}) | {"type": {kind} & set(PJSIP)}
        wrong += [f"[{name}] {one}" for one in faults(known, found)]
    return wrong


def dialplan_faults(block: str) -> list[str]:
    """Lines that are none, applications that are none, labels that lead nowhere."""
    _, *lines = block.splitlines()
    found = [DIALPLAN.fullmatch(line) for line in lines]
    wrong = [line for line, one in zip(lines, found, strict=True) if one is None]
    parts = [one.groups() for one in found if one is not None]
    labels = {label for label, _, _ in parts}
    for _, application, given in parts:
        if application not in APPLICATIONS:
            wrong.append(application)
        if application == "Dial" and not DIALLED.fullmatch(given):
            wrong.append(given)
        if application == "GotoIf":
            wrong += sorted(set(given.rpartition("?")[2].split(":")) - labels)
    return wrong


def asterisk(beginning: str) -> list[str]:
    found = [one for one in blocks(read(HOWTO / "asterisk.md"), "ini") if beginning in one]
    assert found, beginning
    return found


def freeswitch(kind: str) -> ElementTree.Element:
    texts = [ElementTree.fromstring(one) for one in blocks(read(HOWTO / "freeswitch.md"), "xml")]
    [found] = [one for text in texts if (one := text.find(kind)) is not None]
    return found


def test_chan_sip_knows_every_option() -> None:
    [block] = asterisk("type=peer")
    [(name, found)] = sections(block)
    assert (name, faults(CHAN_SIP, found)) == ("voicegate", [])
    assert dict(found)["host"] == GATEWAY


def test_chan_pjsip_knows_every_option_and_the_sections_know_each_other() -> None:
    [block] = asterisk("type=endpoint")
    assert pjsip_faults(block) == []
    known = {dict(found)["type"]: (name, dict(found)) for name, found in sections(block)}
    name, endpoint = known["endpoint"]
    assert endpoint["transport"] == known["transport"][0]
    assert endpoint["aors"] == known["aor"][0]
    assert known["identify"][1] == {"type": "identify", "endpoint": name, "match": GATEWAY}
    assert known["aor"][1]["contact"] == f"sip:{GATEWAY}:5060"
    [login] = asterisk("type=auth\n")
    assert pjsip_faults(login) == []
    assert f"auth={next(sections(login))[0]}" in read(HOWTO / "asterisk.md")


def test_asterisks_dialplan_has_no_fault() -> None:
    found = asterisk("exten =>")
    assert len(found) == 3
    assert [fault for block in found for fault in dialplan_faults(block)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "[a]\ntype=endpoint\ndirectmedia=no",
        "[a]\ntype=endpoint\ndirect_media=non",
        "[a]\ntype=endpoit\ncontext=x",
        "[a]\ntype=aor\nqualify=yes",
    ],
)
def test_what_chan_pjsip_does_not_know_is_seen(wrong: str) -> None:
    assert pjsip_faults(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "[a]\nexten = _10XX,1,Hangup()",
        "[a]\nexten => _10XX,1,Dail(SIP/voicegate/${EXTEN},60)",
        "[a]\nexten => _10XX,1,Dial(PJSIP/voicegate/${EXTEN},60)",
        "[a]\nexten => 1,1,GotoIf($[1]?on:end)\n same => n(end),Hangup()",
    ],
)
def test_what_the_dialplan_does_not_know_is_seen(wrong: str) -> None:
    assert dialplan_faults(wrong)


def test_freeswitchs_gateway_has_only_parameters_that_mod_sofia_reads() -> None:
    gateway = freeswitch("gateway")
    found = {one.attrib["name"]: one.attrib["value"] for one in gateway.iterfind("param")}
    assert set(found) == set(SOFIA_GATEWAY)
    assert {name: found[name] for name, value in SOFIA_GATEWAY.items() if value} == {
        name: value for name, value in SOFIA_GATEWAY.items() if value
    }


def test_freeswitchs_dialplan_leads_to_that_gateway() -> None:
    condition = freeswitch("extension/condition")
    number = re.compile(condition.attrib["expression"])
    assert [bool(number.search(one)) for one in ("1000", "1099", "1100", "10000")] == [
        *(True, True),
        *(False, False),
    ]
    actions = [(one.attrib["application"], one.attrib["data"]) for one in condition]
    assert {application for application, _ in actions} == FREESWITCH_ACTIONS
    assert {data.partition("=")[0] for name, data in actions if name == "set"} == (
        FREESWITCH_VARIABLES
    )
    assert actions[-1] == ("bridge", f"sofia/gateway/{freeswitch('gateway').attrib['name']}/$1")


@pytest.mark.parametrize("page", ["asterisk", "freeswitch", "goip"])
def test_the_gateway_lets_the_gate_of_the_page_in(page: str, tmp_path: Path) -> None:
    file = tmp_path / "voicegate.toml"
    file.write_text(blocks(read(HOWTO / f"{page}.md"), "toml")[0], encoding="utf-8")
    assert load(file, environ={}, dotenv=None).sip.allow == (GATE,)


@pytest.mark.parametrize("page", sorted(HOWTO.glob("*.md")), ids=lambda page: page.stem)
def test_every_how_to_says_what_was_tried(page: Path) -> None:
    assert re.search(r"tried|run under|was not run", read(page)), page.stem
