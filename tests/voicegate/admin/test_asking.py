"""`voicegate call`, from the order to its words; the process itself is in test_cli.py."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from scenarios.inprocess import serving
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from voicegate.admin.asking import ANSWER_LIMIT_S, Ordered, order_call, place_of
from voicegate.cli import app
from voicegate.gateway import Gateway
from voicegate.settings import AdminSettings

pytestmark = pytest.mark.virtual


async def ordered(gateway: Gateway, number: str = "200", token: str = "") -> Ordered:
    assert gateway.admin_address is not None
    place = f"http://127.0.0.1:{gateway.admin_address.port}"
    return await order_call(place, token, number, gateway.config.sip.ring_limit_s)


@pytest.mark.parametrize(
    ("status", "code", "result", "says"),
    [
        *((200, 0, "answered", "200 is answered"), (486, 1, "busy", "200 is busy")),
        *(
            (404, 1, "not_found", "no number that the gate knows"),
            (None, 1, "no_answer", "answer"),
        ),
        (499, 1, "not_connected", "200 is not connected (not_connected)"),
    ],
)
async def test_what_came_of_the_call_is_said_and_is_the_exit_code(
    errors: Witness, gemini: FakeGemini, status: int | None, code: int, result: str, says: str
) -> None:
    async with SimulatedGate() as gate:
        sip = {"outbound": f"sip:{gate.address}", "ring_limit_s": 5.0}
        async with (
            serving({"sip": sip, "admin": {"token": "secret"}}) as gateway,
            gate.answering("200", status=status),
        ):
            told = await ordered(gateway, token="secret")
    assert (told.code, told.result, told.id) == (code, result, 1)
    assert says in told.text


async def test_what_the_gateway_refuses_is_told_apart_from_what_fails(
    errors: Witness, gemini: FakeGemini
) -> None:
    async with serving({"sip": {"outbound": "sip:127.0.0.1:9"}}) as gateway:
        refused = await ordered(gateway, "1@evil")
        assert (refused.code, refused.id) == (2, None)
        assert "a number has 1 to 64 of" in refused.text
        assert gateway.calls_taken == 0


async def test_another_token_is_said_to_be_one(errors: Witness, gemini: FakeGemini) -> None:
    async with serving({"admin": {"token": "secret"}}) as gateway:
        told = await ordered(gateway, token="other")
    assert (told.code, told.text) == (2, "the gateway wants another token: set admin.token")


async def test_no_room_for_one_more_call_is_no_fault_of_the_order(
    errors: Witness, gemini: FakeGemini
) -> None:
    async with serving({"sip": {"outbound": "sip:127.0.0.1:9", "max_calls": 1}}) as gateway:
        gateway.drain()
        assert (await ordered(gateway)).code == 1


async def test_nobody_there_is_said_with_what_to_do() -> None:
    told = await order_call("http://127.0.0.1:9", "", "200", 1.0)
    assert told.code == 3
    assert "Mend: start voicegate serve" in told.text


async def test_a_gateway_that_takes_the_order_and_falls_silent_is_not_waited_for() -> None:
    loop, released = asyncio.get_running_loop(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port, began_at = server.sockets[0].getsockname()[1], loop.time()
        told = await order_call(f"http://127.0.0.1:{port}", "", "200", 5.0)
        assert loop.time() - began_at == pytest.approx(5.0 + ANSWER_LIMIT_S, abs=0.5)
        released.set()
        await asyncio.sleep(0.1)
    assert (told.code, "does not say what came of it" in told.text) == (3, True)


@pytest.mark.parametrize("code", [0, 1, 2, 3])
@pytest.mark.parametrize("as_json", [False, True])
def test_the_code_of_the_order_is_that_of_the_command(
    monkeypatch: pytest.MonkeyPatch, code: int, as_json: bool
) -> None:
    asked: list[tuple[object, ...]] = []

    async def told(*arguments: object) -> Ordered:
        asked.append(arguments)
        return Ordered(code, "200 is what it is", 7, "so")

    monkeypatch.setattr("voicegate.admin.asking.order_call", told)
    words = ["call", "200", "--admin", "http://127.0.0.1:8080/", *(["--json"] if as_json else [])]
    done = CliRunner(env={"VOICEGATE_ADMIN__TOKEN": "secret"}).invoke(app, words)
    assert done.exit_code == code
    assert [arguments[:3] for arguments in asked] == [("http://127.0.0.1:8080", "secret", "200")]
    said = {"code": code, "text": "200 is what it is", "id": 7, "result": "so"}
    if as_json:
        assert json.loads(done.stdout) == said
    else:
        told_by = done.stderr if code > 1 else done.stdout
        assert told_by == "200 is what it is\n"


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("192.168.1.5", "http://192.168.1.5:8080"),
    ],
)
async def test_a_gateway_that_listens_everywhere_is_asked_over_loopback(
    host: str, place: str
) -> None:
    assert place_of(AdminSettings(host=host, token="t")) == place
