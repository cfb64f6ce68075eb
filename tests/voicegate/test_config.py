"""The loader: who wins, what is refused, and that the refusal names the mend."""

import json
import traceback
from pathlib import Path

import pytest

from voicegate.config import TABLE_LISTS, Config, ConfigError, load, require_key


def from_environment(**variables: str) -> Config:
    return load(environ=variables, dotenv=None)


def refusal(**variables: str) -> str:
    with pytest.raises(ConfigError) as caught:
        from_environment(**variables)
    return str(caught.value)


def every_key() -> list[tuple[str, str, object]]:
    rows = []
    for section, values in Config().model_dump(mode="json").items():
        if section not in TABLE_LISTS:
            rows += [(section, key, value) for key, value in values.items()]
    return rows


CONTRACT = {
    "sip": "host port transports allow registrar username password max_calls",
    "media": "rtp_ports codecs",
    "call": "greeting no_speech_timeout_s check_in_s goodbye max_duration_s",
    "voice": "backend",
    "gemini": "model api_key base_url api_version voice system_instruction",
    "record": "dir audio transcript pcap",
    "admin": "host port token",
}


@pytest.mark.parametrize("section", CONTRACT)
def test_the_contracts_keys_exist(section: str) -> None:
    keys = {key for name, key, _ in every_key() if name == section}
    assert keys >= set(CONTRACT[section].split())


@pytest.mark.parametrize(("section", "key", "value"), every_key())
def test_every_key_can_be_set_by_environment(section: str, key: str, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    config = from_environment(**{f"VOICEGATE_{section.upper()}__{key.upper()}": text})
    assert config.model_dump(mode="json")[section][key] == value


def test_loopback_only_by_default() -> None:
    config = from_environment()
    assert config.sip.allow == ("127.0.0.0/8",)
    assert config.sip.host == "127.0.0.1"
    assert config.admin.host == "127.0.0.1"


def test_the_examples_of_the_contract() -> None:
    config = from_environment(
        VOICEGATE_SIP__PORT="5070",
        VOICEGATE_SIP__ALLOW='["127.0.0.1"]',
        VOICEGATE_MEDIA__RTP_PORTS="[10000, 10398]",
    )
    assert config.sip.port == 5070
    assert config.sip.allow == ("127.0.0.1",)
    assert config.media.rtp_ports == (10000, 10398)


def test_command_line_over_environment_over_dotenv_over_toml(tmp_path: Path) -> None:
    toml = tmp_path / "voicegate.toml"
    toml.write_text(
        '[sip]\nport = 1\nmax_calls = 1\nallow = ["10.0.0.0/8"]\n[gemini]\nvoice = "Kore"\n',
        encoding="utf-8",
    )
    dotenv = tmp_path / ".env"
    dotenv.write_text("VOICEGATE_SIP__PORT=2\nVOICEGATE_SIP__MAX_CALLS=2\n", encoding="utf-8")
    config = load(
        toml,
        environ={"VOICEGATE_SIP__PORT": "3"},
        dotenv=dotenv,
        overrides={"sip": {"username": "gate"}},
    )
    assert (config.sip.port, config.sip.max_calls) == (3, 2)
    assert config.sip.allow == ("10.0.0.0/8",)
    assert config.sip.username == "gate"
    assert config.gemini.voice == "Kore"


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"GEMINI_API_KEY": "a"}, "a"),
        ({"GOOGLE_API_KEY": "b"}, "b"),
        ({"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}, "a"),
        ({"GEMINI_API_KEY": "a", "VOICEGATE_GEMINI__API_KEY": "c"}, "c"),
    ],
)
def test_googles_own_names_are_understood(variables: dict[str, str], key: str) -> None:
    assert from_environment(**variables).gemini.api_key.get_secret_value() == key


def test_the_base_url_of_google_is_understood() -> None:
    config = from_environment(GOOGLE_GEMINI_BASE_URL="https://127.0.0.1:9000")
    assert config.gemini.base_url == "https://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("VOICEGATE_SIP__PROT", "1", "sip.prot: Extra inputs are not permitted; did you mean"),
        ("VOICEGATE_SIP__RTP_PORTS", "1", "sip.rtp_ports: Extra inputs are not permitted; did you"),
        ("VOICEGATE_SPI__PORT", "1", "VOICEGATE_SPI__PORT: no such setting"),
        ("VOICEGATE_SIP", "{}", "VOICEGATE_SIP: no such setting"),
        ("VOICEGATE_SIP__PORT", "70000", "sip.port: Input should be less than or equal to 65535"),
        ("VOICEGATE_SIP__HOST", "gate.local", "is no IP address; 0.0.0.0 listens on all"),
        ("VOICEGATE_SIP__ALLOW", "127.0.0.1", 'a list is written ["127.0.0.1"]'),
        ("VOICEGATE_SIP__ALLOW", '["nonsense"]', "sip.allow.0: Value error, 'nonsense' is no"),
        ("VOICEGATE_SIP__TRANSPORTS", '["tls"]', "set sip.tls_certificate"),
        ("VOICEGATE_SIP__MAX_CALLS", "0", "sip.max_calls"),
        (
            "VOICEGATE_MEDIA__RTP_PORTS",
            "[10000, 10001]",
            "media.rtp_ports: Value error, write",
        ),
        ("VOICEGATE_MEDIA__RTP_PORTS", "[20000, 10000]", "with low >= 1024 and high >= low + 2"),
        ("VOICEGATE_RECORD__DIR", "C:\new", "single quotes"),
        ("VOICEGATE_MEDIA__CODECS", "[]", "media.codecs"),
        ("VOICEGATE_MEDIA__CODECS", '["G729"]', "media.codecs.0"),
        ("VOICEGATE_CALL__NO_SPEECH_TIMEOUT_S", "0", "call.no_speech_timeout_s"),
        ("VOICEGATE_CALL__GOODBYE", "nobody", "call.goodbye"),
        ("VOICEGATE_GEMINI__BASE_URL", "http://127.0.0.1:1", "must begin with https://"),
        ("VOICEGATE_ADMIN__HOST", "0.0.0.0", "token is required"),
    ],
)
def test_a_wrong_value_is_named_with_its_mend(name: str, value: str, says: str) -> None:
    assert says in refusal(**{name: value})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such file"):
        load(tmp_path / "none.toml", environ={}, dotenv=None)


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    toml = tmp_path / "voicegate.toml"
    toml.write_text("[sip\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 1"):
        load(toml, environ={}, dotenv=None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_files_may_have_a_byte_order_mark_and_windows_line_ends(
    tmp_path: Path, encoding: str
) -> None:
    toml, dotenv = tmp_path / "voicegate.toml", tmp_path / ".env"
    toml.write_bytes("[sip]\r\nport = 5070\r\n".encode(encoding))
    dotenv.write_bytes("GEMINI_API_KEY=abc\r\n".encode(encoding))
    config = load(toml, environ={}, dotenv=dotenv)
    assert (config.sip.port, config.gemini.api_key.get_secret_value()) == (5070, "abc")


@pytest.mark.parametrize("name", ["voicegate.toml", ".env"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_a_file_in_another_encoding_is_named_with_its_mend(
    tmp_path: Path, name: str, encoding: str
) -> None:
    file = tmp_path / name
    file.write_bytes("# Grüße\n[call]\n".encode(encoding))
    is_toml = name == "voicegate.toml"
    with pytest.raises(ConfigError, match="it is not UTF-8; save it as UTF-8"):
        load(file if is_toml else None, environ={}, dotenv=None if is_toml else file)


def test_a_folder_for_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="may this account read it"):
        load(tmp_path, environ={}, dotenv=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[spi]\nport = 1", "spi: Extra inputs are not permitted; did you mean sip?"),
        ("port = 1", "did you mean sip.port or admin.port?"),
        ("sip = 1", "write its name in [brackets]"),
        ('[sip]\nallow = "10.0.0.1"', "sip.allow: Input should be a valid tuple; write a list"),
        ("[gemini]\nmodel = 3", "gemini.model: Input should be a valid string; write it in quotes"),
        ("[record]\ndir = 'a'\ncdr = \"C:\\users\"", "a path goes in single quotes"),
        ('[[tools.webhook]]\nnamed = "a"', "tools.webhook.0.named: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_is_answered_with_the_mend(tmp_path: Path, text: str, says: str) -> None:
    toml = tmp_path / "voicegate.toml"
    toml.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(toml, environ={}, dotenv=None)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOICEGATE_SIP__USERS", "{gate7: hush}"),
        ("VOICEGATE_SIP__USERS", '{"gate7": ["hush"]}'),
        ("VOICEGATE_SIP__REGISTRAR", "sip:us:hush@192.168.1.10"),
        ("VOICEGATE_SIP__OUTBOUND", "sip:us:hush@192.168.1.10"),
        ("VOICEGATE_SIP__MORE_REGISTRARS", '[{"password": "hush"}]'),
        ("VOICEGATE_TOOLS__WEBHOOK", '[{"headers": {"Authorization": "hush"}]'),
        ("VOICEGATE_GEMINI__APIKEY", "hush"),
        ("VOICEGATE_PASSWORD", "hush"),
    ],
)
def test_a_refusal_names_the_setting_and_never_tells_a_secret(name: str, value: str) -> None:
    said = refusal(**{name: value})
    assert name.lower().rpartition("__")[2] in said.lower()
    assert "hush" not in said


def test_the_cause_of_a_refusal_holds_no_secret_either() -> None:
    with pytest.raises(ConfigError) as caught:
        from_environment(VOICEGATE_SIP__USERS="{gate7: hush}")
    told = "".join(traceback.format_exception(caught.value))
    assert "hush" not in told.replace('VOICEGATE_SIP__USERS="{gate7: hush}"', "")


def test_a_missing_key_names_both_ways_out() -> None:
    with pytest.raises(ConfigError, match=r"Set GEMINI_API_KEY, or .*BACKEND=echo"):
        require_key(from_environment())
    require_key(from_environment(VOICEGATE_VOICE__BACKEND="echo"))


def test_secrets_are_not_shown() -> None:
    config = from_environment(
        GEMINI_API_KEY="hush", VOICEGATE_SIP__PASSWORD="hush", VOICEGATE_ADMIN__TOKEN="hush"
    )
    assert "hush" not in repr(config) + str(config.model_dump(mode="json"))


def test_what_this_version_does_not_act_on_is_named() -> None:
    config = from_environment(VOICEGATE_RECORD__AUDIO="1")
    assert config.unserved() == ["record.audio, transcript, pcap (they need record.dir)"]
    assert from_environment().unserved() == []


def test_a_list_of_tables_is_one_variable_and_replaces_that_of_the_file(tmp_path: Path) -> None:
    toml = tmp_path / "voicegate.toml"
    toml.write_text('[[route]]\ncalled = "1"\n[[route]]\ncalled = "2"\n', encoding="utf-8")
    assert [one.called for one in load(toml, environ={}, dotenv=None).route] == ["1", "2"]
    environ = {"VOICEGATE_ROUTE": '[{"called": "100", "voice": "Kore"}]'}
    [route] = load(toml, environ=environ, dotenv=None).route
    assert (route.called, route.voice) == ("100", "Kore")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("VOICEGATE_ROUTE", "called=100", "is no JSON"),
        ("VOICEGATE_ROUTE__CALLED", "100", "a list of tables is one variable"),
        ("VOICEGATE_ROUTE", '[{"dialled": "1"}]', "route.0.dialled: Extra inputs"),
    ],
)
def test_a_list_of_tables_that_is_none_is_refused(name: str, value: str, says: str) -> None:
    assert says in refusal(**{name: value})
