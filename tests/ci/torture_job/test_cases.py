"""Torture cases as they are read: templates filled in, tables understood."""

import pytest

from ci.torture_job.cases import Case, Place, c_strings, fill, split_templates

PLACE = Place("127.0.0.77", "127.0.0.1:15070")


def test_a_protos_file_is_cut_at_its_lengths() -> None:
    assert split_templates(b"7 INV 1 x3 BYE0 ") == [b"INV 1 x", b"BYE", b""]


def test_a_template_is_filled_in_and_its_length_is_that_of_the_filled_body() -> None:
    template = (
        b"<Teardown-Method> sip:<To> SIP/2.0\r\nVia: SIP/2.0/UDP <From-Address>:<Local-Port>"
        b";branch=z9hG4bK<Branch-ID>\r\nFrom: <sip:<From>>\r\nCall-ID: <Call-ID>\r\n"
        b"CSeq: <CSeq> X\r\nContent-Length: <Content-Length>\r\n\r\nc=IN IP4 <From-IP>\r\n"
    )
    filled = fill(template, "0000002", PLACE)
    assert filled.startswith(b"CANCEL sip:1000@127.0.0.1:15070 SIP/2.0\r\n")
    assert b"127.0.0.77:5060;branch=z9hG4bK0000002\r\n" in filled
    assert filled.endswith(b"Content-Length: 21\r\n\r\nc=IN IP4 127.0.0.77\r\n")
    assert len(b"c=IN IP4 127.0.0.77\r\n") == 21


def test_c_strings_that_follow_each_other_are_one_message() -> None:
    text = b'2.8 Title\n\nchar* txt = ("A \\"b\\"\\r\\n"\n"\\r\\n"\n\nmore\n  "C\\\\d"\n'
    assert c_strings(text) == [b'A "b"\r\n\r\n', b"C\\d"]


@pytest.mark.parametrize(
    ("allowed", "finals", "is_right"),
    [
        ("", [], True),
        ("400", [400], True),
        ("400", [], False),
        ("400", [400, 400], False),
        ("400", [200], False),
        ("no packet sent", [], True),
        ("no packet sent", [400], False),
        ("400 or drop", [], True),
        ("400 or drop", [400], True),
        ("200|405|501", [405], True),
        ("any final except 400/5xx-crash: 200|488", [481], True),
        ("any final except 400/5xx-crash: 200|488", [400], False),
        ("any final except 400/5xx-crash: 200|488", [500], False),
        ("400 (liberal: as well-formed)", [488], True),
        ("400 (liberal: as well-formed)", [500], False),
    ],
)
def test_an_answer_is_held_against_its_table(
    allowed: str, finals: list[int], is_right: bool
) -> None:
    assert Case("x", (), allowed).permits(finals) is is_right
