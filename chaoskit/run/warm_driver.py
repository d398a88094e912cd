"""The load driver of a session, started before its first load, and what it can do at most."""

from collections.abc import Callable

import msgspec

from chaoskit.history.events import Calibration
from chaoskit.load.calibration import calibrate
from chaoskit.load.driver import Driver, prepare

#: A machine that was busy the first time has two more chances; one that is slow costs no more.
_MEASURED_AT_MOST = 3


class WarmDriver:
    """One driver after the other: a new one where the last has died; and one calibration."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._driver: Driver | None = None
        self._calibration: Calibration | None = None
        self._measured = 0

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
            self._calibration = self._measure()
        return self._calibration

    def adopt(self, calibration: Calibration | None) -> None:
        """Take what another process of this session has measured on this machine."""
        self._calibration = calibration
        self._measured = int(calibration is not None)

    def calibrate_again(self) -> Calibration | None:
        """Its ceiling, where the machine may have been busy when it was measured.

        For each kind of connection the highest rate ever held counts: the driver did hold it here.
        None when it was measured often enough. Raises `LoadError`, `WaitTimeout`.
        """
        before = self.calibration()
        if before.reached_top or self._measured >= _MEASURED_AT_MOST:
            return None
        now = self._measure()
        self._calibration = msgspec.structs.replace(
            now,
            kept_per_s=max(before.kept_per_s, now.kept_per_s),
            new_per_s=max(before.new_per_s, now.new_per_s),
        )
        return self._calibration

    def _measure(self) -> Calibration:
        self._measured += 1
        self._say("measuring what the load driver can send at most on this machine")
        return calibrate(self.get())

    def close(self) -> None:
        """End the driver; the next one is started when it is asked for."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()
