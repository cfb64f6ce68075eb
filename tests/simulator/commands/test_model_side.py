"""Who heard whom in a soak, decided on recordings made here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from simulator.audio.heard import Heard
from simulator.audio.sound import stamps
from simulator.commands import model_side
from simulator.commands.model_side import ModelSide
from simulator.commands.one_call import Carried
from simulator.gate.caller import SimulatedCall
from simulator.gemini.server import FakeGemini


@dataclass
class Ear:
    """A call or a conversation: who it is, when it was, what it heard."""

    identity: int
    heard: Heard = field(default_factory=Heard)
    invited_at: float = 100.0
    opened_at_s: float = 100.5
    ended_at: float = 106.0
    closed_at_s: float | None = None


@dataclass
class Service:
    """What `ModelSide` sees of the fake."""

    sessions: list[Any] = field(default_factory=list)
    voices: list[Any] = field(default_factory=list)
    violations: list[Any] = field(default_factory=list)

    def always(self, say: Any) -> None:
        self.voices.append(say)


def heard_from(*identities: int, count: int = 4) -> Heard:
    heard = Heard()
    for place, identity in enumerate(identities):
        heard.add(stamps(0.6, count=count).pcm(identity, 8000), 8000, 101.0 + 3 * place)
    return heard


def failures(service: Service, *calls: Ear, at_least: int = 3) -> list[list[str]]:
    side = ModelSide(cast("FakeGemini", service))

    async def main() -> list[list[str]]:
        carried = [Carried(cast("SimulatedCall", call)) for call in calls]
        return [await side.failures(one, at_least) for one in carried]

    return asyncio.run(main())


def test_the_model_speaks_stamps_without_end() -> None:
    service = Service()
    ModelSide(cast("FakeGemini", service))
    assert [voice.name[:6] for voice in service.voices] == ["stamps"]


def test_both_ears_heard_the_other_and_no_one_else() -> None:
    model = Ear(128, heard_from(5))
    assert failures(Service([model]), Ear(5, heard_from(128))) == [[]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda call, _: setattr(call, "heard", Heard()), "no model was heard, -120.0 dBFS"),
        (lambda call, _: setattr(call, "heard", heard_from(129)), "no model was heard"),
        (lambda call, _: setattr(call, "heard", heard_from(128, 7)), "caller's ear: only identity"),
        (lambda call, _: setattr(call, "heard", heard_from(128, count=2)), "2 own stamps of at"),
        (lambda _, model: setattr(model, "heard", Heard()), "the model's ear: only identity 5 NOT"),
        (lambda _, model: setattr(model, "heard", heard_from(5, 6)), "FOREIGN (identity 6"),
    ],
)
def test_what_is_missing_is_said(change: Callable[[Ear, Ear], None], words: str) -> None:
    call, model = Ear(5, heard_from(128)), Ear(128, heard_from(5))
    change(call, model)

    [[found]] = failures(Service([model]), call)

    assert words in found


def test_a_conversation_of_another_time_is_not_taken() -> None:
    early = Ear(128, heard_from(5), opened_at_s=40.0)
    [[found]] = failures(Service([early]), Ear(5, heard_from(128)))
    assert "no model was heard" in found


def test_where_identities_repeat_the_models_ear_decides() -> None:
    first, second = Ear(128, heard_from(6)), Ear(128, heard_from(5))
    assert failures(Service([first, second]), Ear(5, heard_from(128))) == [[]]


def test_a_conversation_proves_one_call_only() -> None:
    model = Ear(128, heard_from(5))
    proven, other = failures(Service([model]), Ear(5, heard_from(128)), Ear(5, heard_from(128)))
    assert (proven, len(other)) == ([], 1)


def test_what_is_over_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[Any] = []

    async def forget(_fake: Any, session: Any) -> None:
        forgotten.append(session)

    monkeypatch.setattr(model_side, "forget", forget)
    looked_at = Ear(128, heard_from(5), closed_at_s=107.0)
    never = Ear(129, closed_at_s=104.0)
    fresh = Ear(130, closed_at_s=199.0)
    service = Service([looked_at, never, fresh])
    later = Ear(9, invited_at=190.0, ended_at=200.0)

    failures(service, Ear(5, heard_from(128)), later)

    assert forgotten == [looked_at, never]
