"""A 200 to BYE that is a status line and nothing else."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.messages import Message, Peer
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import THEIR_BYE, THEIR_BYE_WHY, Sin


class Headerless200(BaseGateway):
    """Believes that nobody reads the headers of an answer."""

    def write_bye_answer(self, message: Message, source: Peer) -> bytes:
        return b"SIP/2.0 200 OK\r\n\r\n"


SIN = Sin(
    gateway=Headerless200,
    did="the old agent: no Via, no Call-ID, no CSeq; the gate sends its BYE again for 32 s",
    row="hang-up",
    message="mandatory-header (RFC 3261 8.1.1/8.2.6): 200 OK () without Via",
    also=THEIR_BYE,
    why=THEIR_BYE_WHY,
)


if __name__ == "__main__":
    serve(Headerless200)
