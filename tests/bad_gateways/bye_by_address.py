"""A BYE ends whatever call of that gate is found first."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.dialogs import Dialog
from tests.bad_gateways.messages import Message, Peer
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import Sin


class ByeByAddress(BaseGateway):
    """Looks for the call of a BYE by the address it came from."""

    def dialog_of_bye(self, message: Message, source: Peer) -> Dialog | None:
        for dialog in self.agent.dialogs.values():
            if dialog.source == source and dialog.state == "up":
                return dialog
        return None


SIN = Sin(
    gateway=ByeByAddress,
    did="the old agent: a BYE of call 1 that came again ended call 2",
    row="stale BYE",
    message="the BYE of call 1 ended call 2",
)


if __name__ == "__main__":
    serve(ByeByAddress)
