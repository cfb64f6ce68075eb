"""What can go wrong before a conversation begins, on demand."""

from dataclasses import dataclass


@dataclass
class Obstacle:
    """One refusal or delay."""

    session: int | None
    """Only for the conversation of this number; None: for any."""
    times: int | None
    """How often yet; None: for ever."""
    status: int = 0
    """HTTP status of a refused upgrade."""
    close: tuple[int, str] | None = None
    """Close code and reason instead of setupComplete."""
    stall_s: float | None = 0.0
    """Delay of setupComplete; None: it never comes."""

    def use(self) -> bool:
        """Use it once; False when it is used up."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Entrance:
    """Obstacles on the way in, first come first served."""

    def __init__(self) -> None:
        self.obstacles: list[Obstacle] = []
        self.refused_upgrades = 0

    def http_status(self, key: str) -> int:
        """Give the status with which to refuse an upgrade, 0 for none.

        An API key "fake-http429" asks for it from outside (F3).
        """
        scenario = key.removeprefix("fake-http")
        if key.startswith("fake-http") and scenario.isdecimal():
            return int(scenario)
        for obstacle in self.obstacles:
            if obstacle.status and obstacle.use():
                return obstacle.status
        return 0

    def setup_refusal(self, session: int) -> tuple[int, str] | None:
        """Give code and reason with which to refuse a setup, None for none."""
        for obstacle in self._for(session):
            if obstacle.close is not None and obstacle.use():
                return obstacle.close
        return None

    def setup_stall_s(self, session: int) -> float | None:
        """Give the delay of setupComplete, None for never."""
        for obstacle in self._for(session):
            if obstacle.stall_s != 0.0 and obstacle.use():
                return obstacle.stall_s
        return 0.0

    def _for(self, session: int) -> list[Obstacle]:
        return [one for one in self.obstacles if one.session in (None, session)]
