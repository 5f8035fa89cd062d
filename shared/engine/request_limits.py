"""Request limits: what gateways tell each other of the requests that they have counted."""

from collections.abc import Mapping

from shared.engine.engine import Engine
from shared.store.catalog import request_counts as stored

__all__ = ["exchange_counts", "limits_of_organizations"]


async def exchange_counts(
    engine: Engine, process: str, own: Mapping[str, tuple[int, float]], changed: Mapping[str, int]
) -> dict[str, int]:
    """Tell this process's counts that have changed; what all others have counted in its windows.

    `own`: by window, the count and when it is forgotten, in seconds since 1970. Raises `Unavailable`: tell it again.
    """
    return await stored.exchange_counts(engine.store, process, own, changed)


async def limits_of_organizations(engine: Engine) -> dict[str, str]:
    """The limits of those organizations that have some of their own, as `request_windows` reads them."""
    return await stored.limits_of_organizations(engine.store)
