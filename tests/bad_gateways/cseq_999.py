"""CSeq 999, whatever was sent before."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.dialogs import Dialog
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import OUR_BYE, OUR_BYE_WHY, Sin


class Cseq999(BaseGateway):
    """Numbers every request of its own 999: the second one is out of order."""

    def next_cseq(self, dialog: Dialog) -> int:
        return 999


SIN = Sin(
    gateway=Cseq999,
    did="the old agent: its BYE said 999; a gate that was asked anything before answers 500",
    row="no speech",
    message="cseq-growth (RFC 3261 12.2.1.1): BYE with CSeq 999 after 999",
    also=OUR_BYE,
    why=OUR_BYE_WHY,
)


if __name__ == "__main__":
    serve(Cseq999)
