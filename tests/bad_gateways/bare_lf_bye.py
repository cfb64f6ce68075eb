"""A BYE whose lines end in LF alone."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.dialogs import Dialog
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import OUR_BYE, OUR_BYE_WHY, Sin


class BareLfBye(BaseGateway):
    """Writes its BYE as a text of Python."""

    def write_request(self, dialog: Dialog, method: str) -> bytes:
        data = super().write_request(dialog, method)
        return data.replace(b"\r\n", b"\n") if method == "BYE" else data


SIN = Sin(
    gateway=BareLfBye,
    did="the old agent: its BYE was an f-string in triple quotes",
    row="no speech",
    message="line-ending (RFC 3261 7): a line does not end in CRLF",
    also=OUR_BYE,
    why=OUR_BYE_WHY,
)


if __name__ == "__main__":
    serve(BareLfBye)
