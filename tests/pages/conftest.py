"""A browser that sees nothing but this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pages.board import WAIT_MS

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ONLY_LOOPBACK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, where the system has one."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install playwright"
    )
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        pytest.skip("needs a browser: apt-get install chromium")
    sync_api.expect.set_options(timeout=WAIT_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=[_ONLY_LOOPBACK]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots(request, tmp_path_factory):
    """The folder of the pictures, one for the runtimes to share if given."""
    given = request.config.getoption("--screenshots")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
