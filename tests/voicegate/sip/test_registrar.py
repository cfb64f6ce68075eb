"""A gate registers to us: by its password, for a time, and can be called where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.voicegate.sip.test_access import STRANGER, credentials
from voicegate.sip import registrar as module
from voicegate.sip.address import Address, Flow

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

CONTACT = "<sip:gate@10.1.2.3:5062>"


def register(
    rig: Rig,
    *,
    cseq: int = 2,
    contacts: tuple[str, ...] = (CONTACT,),
    expires: str = "60",
    call: str = "reg",
    user: str = "gate",
    source: Address = STRANGER,
) -> Message:
    """REGISTER with the right password; the answer."""

    def data(number: int, *extra: str) -> bytes:
        lines = rig.request("REGISTER", call=f"{call}", cseq=number, extra=extra)
        lines = lines.replace(b"To: <sip:1000@", f"To: <sip:{user}@".encode())
        named = "".join(f"Contact: {each}\r\n" for each in contacts).encode()
        return lines.replace(b"Contact: <sip:100@127.0.0.1:5061>\r\n", named)

    (asked,) = rig.receive(data(cseq - 1), source)
    given = credentials(asked, "REGISTER")
    (answer,) = rig.receive(data(cseq, given, f"Expires: {expires}"), source)
    return answer


def status(answer: Message) -> int:
    return getattr(answer, "status", 0)


def test_a_gate_is_known_for_the_time_it_asked_for(guarded_rig: Rig) -> None:
    rig = guarded_rig
    answer = register(rig)
    assert (status(answer), answer.header("Contact")) == (200, f"{CONTACT};expires=60")
    binding = rig.endpoint.registrar.binding("gate", 59.9)
    assert binding is not None
    assert (binding.contact, binding.flow) == ("sip:gate@10.1.2.3:5062", Flow(rig.local, STRANGER))
    assert rig.endpoint.needs(STRANGER)
    assert rig.endpoint.registrar.binding("other", 0.0) is None
    assert rig.endpoint.registrar.binding("gate", 60.0) is None
    assert not rig.endpoint.needs(STRANGER)


def test_a_host_on_the_allow_list_needs_the_password_too(guarded_rig: Rig) -> None:
    assert status(register(guarded_rig, source=guarded_rig.peer)) == 200


def test_a_refresh_moves_it_and_zero_takes_it_away(guarded_rig: Rig) -> None:
    rig = guarded_rig
    register(rig)
    moved = Address("127.0.0.77", 5099)
    assert status(register(rig, cseq=4, source=moved)) == 200
    binding = rig.endpoint.registrar.binding("gate", 0.0)
    assert binding is not None
    assert binding.flow.peer == moved
    answer = register(rig, cseq=6, expires="0")
    assert (status(answer), answer.header("Contact")) == (200, None)
    assert rig.endpoint.registrar.binding("gate", 0.0) is None


def test_the_contacts_own_time_counts_more_and_none_is_longer_than_an_hour(
    guarded_rig: Rig,
) -> None:
    contacts = (f"{CONTACT};expires=90", "<sip:gate@10.1.2.4>")
    answer = register(guarded_rig, contacts=contacts, expires="99999")
    lines = answer.header_lines("Contact")
    assert lines == [f"{CONTACT};expires=90", "<sip:gate@10.1.2.4>;expires=3600"]


def test_a_star_takes_all_away_and_needs_expires_zero(guarded_rig: Rig) -> None:
    rig = guarded_rig
    register(rig)
    assert status(register(rig, cseq=4, contacts=("*",))) == 400
    assert rig.endpoint.registrar.binding("gate", 0.0) is not None
    assert status(register(rig, cseq=6, contacts=("*",), expires="0")) == 200
    assert rig.endpoint.registrar.binding("gate", 0.0) is None


def test_too_short_a_time_is_told_the_shortest(guarded_rig: Rig) -> None:
    answer = register(guarded_rig, expires="5")
    assert (status(answer), answer.header("Min-Expires")) == (423, "30")


@pytest.mark.parametrize(
    ("wrong", "due"),
    [({"user": "other"}, 403), ({"contacts": ("nonsense",)}, 400), ({"contacts": ()}, 200)],
)
def test_what_binds_nothing(guarded_rig: Rig, wrong: dict[str, object], due: int) -> None:
    assert status(register(guarded_rig, **wrong)) == due  # type: ignore[arg-type]
    assert guarded_rig.endpoint.registrar.binding("gate", 0.0) is None
    assert guarded_rig.endpoint.registrar.binding("other", 0.0) is None


def test_an_older_register_that_comes_late_changes_nothing(guarded_rig: Rig) -> None:
    rig = guarded_rig
    register(rig, cseq=9)
    assert status(register(rig, cseq=7, expires="0")) == 500
    assert rig.endpoint.registrar.binding("gate", 0.0) is not None
    assert status(register(rig, cseq=2, expires="0", call="after a restart")) == 200
    assert rig.endpoint.registrar.binding("gate", 0.0) is None


def test_the_bindings_are_bounded(guarded_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = guarded_rig
    monkeypatch.setattr(module, "MAX_BINDINGS_A_USER", 1)
    register(rig)
    assert status(register(rig, cseq=4, contacts=("<sip:gate@10.9.9.9>",))) == 503
    assert rig.endpoint.counters["dropped_bindings"] == 1
    binding = rig.endpoint.registrar.binding("gate", 0.0)
    assert binding is not None
    assert binding.contact == "sip:gate@10.1.2.3:5062"


def test_its_retransmission_gets_the_same_answer(guarded_rig: Rig) -> None:
    rig = guarded_rig
    first = register(rig)
    again = rig.request("REGISTER", call="reg", cseq=2)
    assert rig.receive(again, STRANGER) == [first]


def test_without_users_nobody_registers(rig: Rig) -> None:
    assert [status(each) for each in rig.receive(rig.request("REGISTER"))] == [405]
