"""A gateway's log as the job reads it."""

from ci.interop_job.gateway import log_lines


def test_only_whole_json_objects_are_lines() -> None:
    text = '{"event": "gateway ready"}\nnot JSON\n[1, 2]\n\n{"event": "call en'

    assert log_lines(text) == [{"event": "gateway ready"}]
