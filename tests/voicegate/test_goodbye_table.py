"""The goodbye table: what ends a call and what does not, in the languages that are tested."""

import pytest

from scenarios.trouble import World
from simulator.audio.sound import sequence, silence_for, speech, stamps
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import hear, pause, say, tool_call, transcript
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness

pytestmark = pytest.mark.virtual

GOODBYES = {
    "en": ("Okay, thank you, bye!", "No, bye.", "Goodbye, and thanks again."),
    "de": ("Vielen Dank, tschüss dann.", "Dann bis morgen!", "Auf Wiederhören!"),
    "fr": ("Non merci, au revoir madame.", "À tout à l\u2019heure !", "Bonne journée à vous."),
    "es": ("No, adiós.", "Que tenga un buen día.", "Hasta luego, gracias."),
    "bg": ("Благодаря, чао-чао.", "Лек ден и на вас.", "Дочуване!"),
    "ja": ("それでは、失礼いたします。", "じゃあ、またね！", "さようなら。"),
    "zh": ("好的，谢谢，再见！", "那就这样，拜拜。", "明天见。"),
}
NONE = {
    "en": ("I'll say goodbye later", "Goodbye Yellow Brick Road", "Don't say bye bye"),
    "de": ("Ich will nicht auf Wiedersehen sagen", "Ich brauche das bis morgen.", "Guten Tag"),
    "fr": ("Il m'a dit au revoir", "Au revoir les enfants est un film", "Bonjour"),
    "es": ("No quiero decir adiós", "No abren hasta mañana", "Buenas noches"),
    "bg": ("Довиждане е хубава дума", "Днес е хубав ден", "Не искам да кажа довиждане"),
    "ja": ("さようならは言いたくない", "突然のお電話失礼します", "またね、と彼が言った"),
    "zh": ("我不想说再见", "再见是一首歌", "我们不再见"),
}
STAMPS_OF_FAREWELL = 3
ASKS = sequence(silence_for(0.3), speech(0.5))


@pytest.fixture
def settings() -> Settings:
    return {"call": {"greeting": ""}}


@pytest.fixture
def world(gate: SimulatedGate, gemini: FakeGemini, witness: Witness) -> World:
    """Everybody who plays in a story."""
    return World(gate, gemini, witness)


def fragments(text: str) -> list[str]:
    """Cut a text as a service does that knows no words."""
    return [text[at : at + 4] for at in range(0, len(text), 4)]


@pytest.mark.parametrize(
    ("language", "text"), [(code, text) for code, texts in GOODBYES.items() for text in texts]
)
async def test_goodbye_of_the_table_is_heard_in_full(
    gate: SimulatedGate, gemini: FakeGemini, language: str, text: str
) -> None:
    farewell = stamps(every_s=0.5, count=STAMPS_OF_FAREWELL)
    gemini.on_speech(*map(transcript, fragments(text)), say(farewell))
    call = await gate.dial("1000", speak=ASKS)
    await call.ended(by="gateway", within_s=8)
    assert call.heard.only_from(gemini.session(0), at_least=STAMPS_OF_FAREWELL), language
    assert call.silence_before_bye_s < 1.0


@pytest.mark.parametrize("language", NONE)
async def test_not_one_goodbye_of_the_table_ends_the_call(
    gate: SimulatedGate, gemini: FakeGemini, language: str
) -> None:
    steps = [
        step
        for text in NONE[language]
        for step in (*map(transcript, fragments(text)), say(speech(0.3)), pause(1.0))
    ]
    gemini.on_speech(*steps)
    async with gate.dial("1000", speak=ASKS) as call:
        await call.lasts(8)
    assert gemini.session(0).turns_done >= len(NONE[language])


async def test_goodbye_by_the_tool_waits_for_the_words_that_follow(world: World) -> None:
    """The model asks to hang up first and says its farewell when that was answered."""
    farewell = stamps(every_s=0.5, count=STAMPS_OF_FAREWELL)
    world.gemini.on_speech(tool_call("hang_up"))
    world.gemini.on_tool_result(say(farewell), containing="hang_up")
    call = await world.gate.dial("1000", speak=ASKS)
    await call.ended(by="gateway", within_s=10)
    assert call.heard.only_from(world.gemini.session(0), at_least=STAMPS_OF_FAREWELL)
    assert call.silence_before_bye_s < 1.0
    await world.nothing_is_left("a goodbye by the tool")


async def test_goodbye_by_the_tool_after_the_words(world: World) -> None:
    farewell = stamps(every_s=0.5, count=STAMPS_OF_FAREWELL)
    world.gemini.on_speech(say(farewell), tool_call("hang_up"))
    call = await world.gate.dial("1000", speak=ASKS)
    await call.ended(by="gateway", within_s=10)
    assert call.heard.only_from(world.gemini.session(0), at_least=STAMPS_OF_FAREWELL)
    await world.nothing_is_left("a goodbye by the tool")


async def test_goodbye_is_called_off_by_a_caller_who_goes_on(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_speech(hear("Goodbye."), say(stamps(every_s=0.5, count=4)))
    gemini.on_speech(hear("No, wait, one more thing."), say(stamps(every_s=0.5, count=2, start=9)))
    caller = sequence(ASKS, silence_for(1.2), speech(1.5))
    async with gate.dial("1000", speak=caller) as call:
        await call.lasts(10)
    assert [stamp.sequence for stamp in call.heard.stamps()][-2:] == [9, 10]


async def test_goodbye_is_not_called_off_by_comfort_noise(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    gemini.on_speech(say(stamps(every_s=0.5, count=4), text="Goodbye."))
    caller = sequence(ASKS, speech(20.0, level_dbfs=-58.0))
    call = await gate.dial("1000", speak=caller)
    await call.ended(by="gateway", within_s=10)
    assert call.heard.only_from(gemini.session(0), at_least=4)
