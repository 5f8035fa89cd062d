"""A clock that never jumps but when a test says so."""


class SecondsClock:
    """Stands at `now`, in seconds, until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
