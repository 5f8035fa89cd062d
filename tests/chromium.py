"""Debian's own Chromium, for tests in a real browser; Playwright brings none."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, ViewportSize, async_playwright

CHROMIUM: Final = shutil.which("chromium")
# Where pictures of the pages are kept after the run.
PICTURES: Final = "DIALSTREAM_PICTURES"
PHONE: Final[ViewportSize] = {"width": 375, "height": 740}
DESK: Final[ViewportSize] = {"width": 1280, "height": 900}
# A busy machine's patience, not what a page may take.
PATIENCE_MS: Final = 60_000


def chromium_or_skip(request: pytest.FixtureRequest, what: str) -> str:
    """The machine's Chromium. Without one `what` is not tested, and the run says so in a line of its own."""
    if CHROMIUM is None:
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"\nNOT TESTED: {what}; this machine has no chromium", red=True)
        pytest.skip("no chromium on this machine")
    return CHROMIUM


@asynccontextmanager
async def chromium_browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser without a window."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()
