"""A BYE with From and To as they stood in the INVITE."""

from tests.bad_gateways.base import BaseGateway
from tests.bad_gateways.dialogs import Dialog
from tests.bad_gateways.process import serve
from tests.bad_gateways.sin import OUR_BYE, OUR_BYE_WHY, Sin


class SwappedTags(BaseGateway):
    """Copies From and To of the INVITE into its BYE, as if the caller sent it."""

    def from_and_to(self, dialog: Dialog, method: str) -> tuple[str, str]:
        ours, theirs = super().from_and_to(dialog, method)
        return (theirs, ours) if method == "BYE" else (ours, theirs)


SIN = Sin(
    gateway=SwappedTags,
    did="the old agent: the gate answered 481 and kept the first call up",
    row="no speech",
    message="tags-by-role (RFC 3261 12.2.1.1): BYE with From and To swapped",
    also=OUR_BYE,
    why=OUR_BYE_WHY,
)


if __name__ == "__main__":
    serve(SwappedTags)
