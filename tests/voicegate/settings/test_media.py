"""[media]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import MediaSettings


@pytest.mark.parametrize("ports", [(100, 200), (10000, 10001)])
def test_a_range_without_room_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="rtp_ports must be"):
        MediaSettings(rtp_ports=ports)
