"""The story of a call: told in order, to everybody, with the time."""

from voicegate.story import Event, Happening, Story


def test_every_listener_hears_every_event_in_order() -> None:
    moments = iter((1.0, 2.5))
    story = Story(lambda: next(moments))
    first: list[Event] = []
    second: list[Event] = []
    story.listen(first.append)
    story.listen(second.append)
    story.tell(Happening.ANSWERED)
    story.tell(Happening.CALLER_SAID, text="hello")
    assert first == second
    assert [(one.at_s, one.what, dict(one.fields)) for one in first] == [
        (1.0, Happening.ANSWERED, {}),
        (2.5, Happening.CALLER_SAID, {"text": "hello"}),
    ]


def test_without_a_listener_nothing_is_made() -> None:
    def no_clock() -> float:
        raise AssertionError("nobody listens")

    Story(no_clock).tell(Happening.ENDED, reason="caller_bye")


def test_an_alarm_may_say_what_it_is_about() -> None:
    told: list[Event] = []
    story = Story(lambda: 0.0)
    story.listen(told.append)
    story.tell(Happening.ALARM, what="no_audio")
    assert told[0].fields == {"what": "no_audio"}
