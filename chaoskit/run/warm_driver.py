"""The load driver of a session, started before its first load, and what it can do at most."""

from chaoskit.history.events import Calibration
from chaoskit.load.calibration import calibrate
from chaoskit.load.driver import Driver, prepare


class WarmDriver:
    """One driver after the other: a new one where the last has died; and one calibration."""

    def __init__(self) -> None:
        self._driver: Driver | None = None
        self._calibration: Calibration | None = None

    def get(self) -> Driver:
        """The driver, alive when it was looked at just now."""
        if self._driver is not None and not self._driver.alive:
            self.close()
        if self._driver is None:
            self._driver = prepare()
        return self._driver

    def calibration(self) -> Calibration:
        """Its ceiling, measured when first asked for."""
        if self._calibration is None:
            self._calibration = calibrate(self.get())
        return self._calibration

    def adopt(self, calibration: Calibration | None) -> None:
        """Take what another process of this session has measured on this machine."""
        self._calibration = calibration

    def close(self) -> None:
        """End the driver; the next one is started when it is asked for."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()
