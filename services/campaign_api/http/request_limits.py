"""Request limits of credentials, in all dialects together: `limits` decides, on counts that gateways exchange.

Each process counts for itself and learns once a second what the others have counted, so a credential may be over its
limit by what a second lets through. Where no limit is set nothing is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport, TimestampedSlidingWindow
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import utc_now
from shared.domain.request_limits import (
    LimitState,
    RequestWindow,
    WindowCount,
    request_windows,
    state_in,
    tightest,
)

_STATE: Final = "request_limit"


@dataclass(slots=True)
class _Count:
    mine: int
    others: int
    ends_at: float


class ExchangedCounts(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Counts of windows, of this process and of the others, as a storage of `limits`."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, _Count] = {}

    # What `limits` asks of a storage.

    @property
    def base_exceptions(self) -> type[Exception]:
        """None is raised here that `limits` would have to hide."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count so many more of this process's."""
        count = self._counts.setdefault(key, _Count(0, 0, _now() + expiry))
        count.mine += amount
        return count.mine + count.others

    def get(self, key: str) -> int:
        """How many there are, all processes' together."""
        count = self._counts.get(key)
        return 0 if count is None else count.mine + count.others

    def get_expiry(self, key: str) -> float:
        """When the count is forgotten, in seconds since 1970."""
        count = self._counts.get(key)
        return _now() if count is None else count.ends_at

    def check(self) -> bool:
        """It is there."""
        return True

    def reset(self) -> int:
        """Forget all."""
        forgotten = len(self._counts)
        self._counts.clear()
        return forgotten

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._counts.pop(key, None)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count this request in the window that has begun. Asked after all windows have been looked at."""
        _, current = self.sliding_window_keys(key, expiry, _now())
        self.incr(current, 2 * expiry, amount)
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count before and how long it still counts, this one and how long it will, in seconds."""
        now = _now()
        previous, current = self.sliding_window_keys(key, expiry, now)
        left = expiry - now % expiry
        return self.get(previous), left, self.get(current), left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget both windows."""
        for one in self.sliding_window_keys(key, expiry, _now()):
            self.clear(one)

    # The exchange.

    def own(self) -> dict[str, tuple[int, float]]:
        """This process's counts, and when each is to be forgotten; those whose time is over are forgotten here."""
        now = _now()
        self._counts = {key: count for key, count in self._counts.items() if count.ends_at > now}
        return {key: (count.mine, count.ends_at) for key, count in self._counts.items()}

    def learn(self, others: Mapping[str, int]) -> None:
        """Take over what the other processes have counted."""
        for key, counted in others.items():
            if key in self._counts:
                self._counts[key].others = counted


class RequestLimits:
    """Counts requests and says which go on.

    The windows are the credential's own, else its organization's, else the default ones.
    """

    def __init__(self, default: Sequence[RequestWindow]) -> None:
        self.counts = ExchangedCounts()
        self._limiter = SlidingWindowCounterRateLimiter(self.counts)
        self._default = tuple(default)
        self._of_organizations: Mapping[str, str] = {}

    def set_organizations(self, limits: Mapping[str, str]) -> None:
        """Take over the limits of those organizations that have some of their own."""
        self._of_organizations = limits

    def ask(self, name: str, own: str | None, organization_id: str, method: str) -> LimitState | None:
        """How this credential stands once this request is counted, which is not when it is refused (`retry_after`).

        None where no window counts it.
        """
        text = own if own is not None else self._of_organizations.get(organization_id)
        windows = self._default if text is None else request_windows(text)
        counting = [window for window in windows if window.counts(method)]
        if not counting:
            return None
        before = [self._state(name, window) for window in counting]
        if all(state.remaining for state in before):
            for window in counting:
                self._limiter.hit(window.item, _counted(name, window))
            after = [replace(self._state(name, window), retry_after=0.0) for window in counting]
            return tightest(after)
        return tightest(before)

    def _state(self, name: str, window: RequestWindow) -> LimitState:
        key = window.item.key_for(_counted(name, window))
        previous, left, current, _ = self.counts.get_sliding_window(key, window.seconds)
        return state_in(window, WindowCount(previous, current, window.seconds - left))


def _counted(name: str, window: RequestWindow) -> str:
    return f"{name}:{window.counted}"


def _now() -> float:
    return utc_now().timestamp()


def note_limit(request: HTTPConnection, state: LimitState | None) -> None:
    """Have the answer to this request tell how its credential stands."""
    setattr(request.state, _STATE, state)


def limit_of(request: HTTPConnection) -> LimitState | None:
    """How the request's credential stands; None where no limit counts it, or before the credential is proven."""
    state: LimitState | None = getattr(request.state, _STATE, None)
    return state


class TellLimits:
    """ASGI middleware: answers say how the credential stands, in every dialect, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Applications below take copies of the scope; this dictionary they share.
        noted = scope.setdefault("state", {})

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start" and noted.get(_STATE) is not None:
                MutableHeaders(scope=message).update(limit_headers(noted[_STATE]))
            await send(message)

        await self._app(scope, receive, telling)


def limit_headers(state: LimitState) -> dict[str, str]:
    """How a credential stands, as headers; the reset in seconds since 1970."""
    return {
        "X-RateLimit-Limit": str(state.limit),
        "X-RateLimit-Remaining": str(state.remaining),
        "X-RateLimit-Reset": str(ceil(_now() + state.resets_in)),
    }
