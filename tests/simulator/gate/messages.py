"""Literal messages of a correct dialog, for the tests of the judge to break one at a time."""

from simulator.gate.wire import Address, RawMessage, read

GATE = Address("127.0.0.1", 5070)
GATEWAY = Address("127.0.0.1", 5060)

OFFER = (
    "v=0\r\no=root 1 1 IN IP4 127.0.0.1\r\ns=Asterisk\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 10000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)

INVITE = (
    "INVITE sip:1000@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKinv;rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "J\u00fcrgen" <sip:100@127.0.0.1:5070>;tag=gate\r\n'
    "To: <sip:1000@127.0.0.1:5060>\r\n"
    "Contact: <sip:100@127.0.0.1:5070>\r\n"
    "Call-ID: abc@127.0.0.1\r\n"
    "CSeq: 102 INVITE\r\n"
    "Record-Route: <sip:127.0.0.1:5071;lr>\r\n"
    "Content-Type: application/sdp\r\n"
    f"Content-Length: {len(OFFER)}\r\n\r\n{OFFER}"
)

ANSWER = (
    "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 20000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
)

OK = (
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKinv;received=127.0.0.1;rport=5070\r\n"
    "Record-Route: <sip:127.0.0.1:5071;lr>\r\n"
    'From: "J\u00fcrgen" <sip:100@127.0.0.1:5070>;tag=gate\r\n'
    "To: <sip:1000@127.0.0.1:5060>;tag=gw1\r\n"
    "Call-ID: abc@127.0.0.1\r\n"
    "CSeq: 102 INVITE\r\n"
    "Contact: <sip:voicegate@127.0.0.1:5060>\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
    "Supported: \r\n"
    "Server: voicegate\r\n"
    "Content-Type: application/sdp\r\n"
    f"Content-Length: {len(ANSWER)}\r\n\r\n{ANSWER}"
)

TRYING = (
    "SIP/2.0 100 Trying\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKinv;rport=5070;received=127.0.0.1\r\n"
    'From: "J\u00fcrgen" <sip:100@127.0.0.1:5070>;tag=gate\r\n'
    "To: <sip:1000@127.0.0.1:5060>\r\n"
    "Call-ID: abc@127.0.0.1\r\n"
    "CSeq: 102 INVITE\r\n"
    "Content-Length: 0\r\n\r\n"
)

BYE = (
    "BYE sip:100@127.0.0.1:5070 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKbye\r\n"
    "Route: <sip:127.0.0.1:5071;lr>\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:1000@127.0.0.1:5060>;tag=gw1\r\n"
    'To: "J\u00fcrgen" <sip:100@127.0.0.1:5070>;tag=gate\r\n'
    "Call-ID: abc@127.0.0.1\r\n"
    "CSeq: 1 BYE\r\n"
    "User-Agent: voicegate\r\n"
    "Content-Length: 0\r\n\r\n"
)


def message(text: str, *changes: tuple[str, str]) -> RawMessage:
    """The message with each change made once; a change that does nothing is a broken test."""
    for old, new in changes:
        assert old in text, f"{old!r} is not there to be broken"
        text = text.replace(old, new, 1)
    return read(text.encode("utf-8"))
