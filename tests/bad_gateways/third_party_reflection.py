"""RTP goes to whatever address the SDP names."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.messages import Peer
from tests.bad_gateways.offers import Offer
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class ThirdPartyReflection(BaseGateway):
    """Believes the c= line: one INVITE turns 50 packets a second on anybody."""

    def accept(self, offer: Offer, source: Peer) -> None:
        return


SIN = Sin(
    gateway=ThirdPartyReflection,
    did="a SIP stack that follows RFC 3264 and nothing else: an amplifier for anyone",
    row="reflection",
    message="RTP packets hit 127.0.0.9, which is no party here",
)


if __name__ == "__main__":
    serve(ThirdPartyReflection)
