"""The fixed list: the scenarios that every gateway of this folder is played through."""

from scenarios import (
    test_barge_in,
    test_caller_hangs_up,
    test_consecutive_calls,
    test_conversation,
    test_goodbye,
    test_model_drops,
    test_no_speech,
    test_odd_audio,
    test_reflection,
    test_slow_answer,
    test_strangers,
    test_udp_errors,
)
from scenarios.trouble import World
from tests.bad_gateways.world import Row

ROWS = {
    "two-way audio": Row(
        test_consecutive_calls.test_consecutive_calls_are_heard_both_ways, less={"CALLS": 2}
    ),
    "greeting": Row(test_consecutive_calls.test_the_second_call_is_greeted),
    "hang-up": Row(test_caller_hangs_up.test_everything_is_released, {"after_s": 1.0}),
    "cancel": Row(test_caller_hangs_up.test_while_it_rings),
    "second turn": Row(test_conversation.test_a_second_answer_is_heard_like_the_first),
    "barge-in": Row(
        test_barge_in.test_barge_in_silences_the_model_and_its_next_answer_is_whole,
        {"burst": 2.0},
        made={"world": World},
    ),
    "no speech": Row(test_no_speech.test_silence_after_the_greeting_ends_the_call),
    "goodbye": Row(test_goodbye.test_the_model_says_goodbye, {"language": "en"}),
    "model drops": Row(test_model_drops.test_a_caller_without_a_model_is_let_go, {"how": "cut"}),
    "slow answer": Row(test_slow_answer.test_ringing_is_no_silence),
    "UDP error": Row(test_udp_errors.test_a_call_hears_on_after_an_error),
    "left unsaid": Row(test_strangers.test_what_was_left_unsaid_stays_unsaid),
    "at once": Row(test_strangers.test_callers_at_once_hear_their_own_model),
    "stale BYE": Row(test_strangers.test_a_stale_bye_ends_no_other_call),
    "rested port": Row(test_strangers.test_the_next_call_gets_a_rested_port),
    "reflection": Row(
        test_reflection.test_an_offer_that_names_another_host_is_refused,
        more={"victim": test_reflection.bystander},
    ),
    "alias": Row(test_odd_audio.test_a_tone_beyond_the_phone_is_not_heard),
    "mirror image": Row(test_odd_audio.test_the_model_hears_no_mirror_image),
    "RTP goes on": Row(test_odd_audio.test_rtp_goes_on_between_phrases),
}
"""By a short name. Each takes a fraction of a second."""
