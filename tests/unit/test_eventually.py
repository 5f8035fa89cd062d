"""The wait itself: patient with a slow machine, exact where a time is promised, and never for ever."""

import asyncio

import pytest

from tests.eventually import LONGEST_SECONDS, PATIENCE, eventually


async def waits(monkeypatch: pytest.MonkeyPatch, timeout: float, within: float | None = None) -> float:
    """Seconds until a wait for what never comes is given up, on a clock that each look moves by a second."""
    loop, looks = asyncio.get_running_loop(), 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return False

    with monkeypatch.context() as patched:
        began = loop.time()
        patched.setattr(loop, "time", lambda: began + looks)
        with pytest.raises(AssertionError, match=r"it did not become true within \d+ s; last seen: False"):
            await eventually(look, timeout=timeout, within=within, every=0)
    return looks


async def test_a_wait_ends_after_its_patience_or_where_a_time_is_promised_then(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waits(monkeypatch, timeout=5) == PATIENCE * 5 + 1
    assert await waits(monkeypatch, timeout=5, within=2) == 3
    assert await waits(monkeypatch, timeout=100) == LONGEST_SECONDS + 1
    assert await waits(monkeypatch, timeout=300) == 301


async def test_what_becomes_true_is_returned() -> None:
    seen = iter([0, None, "it"])
    assert await eventually(lambda: next(seen)) == "it"
