"""A headless Chromium of this machine, for tests of pages and for pictures of them."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

#: Names a Chromium that is not on the path.
VARIABLE = "CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"no Chromium on this machine: install one (Debian: apt-get install chromium), or name it in {VARIABLE}"
#: It asks nobody for anything: a page is a file, or is served on this machine.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb"),
)


def chromium() -> str | None:
    """Return the path of the program; None if there is none."""
    named = os.environ.get(VARIABLE)
    return named or next((path for name in NAMES if (path := shutil.which(name)) is not None), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start one, with a profile of its own that is removed again.

    Raises:
        FileNotFoundError: there is none.
    """
    path = chromium()
    if path is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()
