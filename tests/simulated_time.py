"""An event loop in which waiting takes no time: the clock jumps to whatever is due next."""

import asyncio
import selectors


class _JumpingSelector(selectors.SelectSelector):
    """Never waits for files; the time it was to wait has passed when it returns."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; the clock jumps only when nothing is."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        if not ready and timeout:
            self.now += timeout
        return ready


class SimulatedTime(asyncio.SelectorEventLoop):
    """Tasks, timers and locks as ever, on a clock that starts at 0 and costs nothing."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._clock.now
