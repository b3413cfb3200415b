"""The system's Chromium, driven by playwright; no browser of its own is downloaded."""

import importlib.util
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WHY_NOT = "" if CHROMIUM else "no Chromium is installed: the page is tried in a real browser only where there is one"
if importlib.util.find_spec("playwright") is None:
    WHY_NOT = "playwright is not installed: it drives the browser (requirements.txt, staff)"


@contextmanager
def chromium() -> Iterator:
    """A running browser without a window."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        try:
            yield browser
        finally:
            browser.close()


def come_in(browser, address: str, **options):
    """A page that has used its one-time address and shows the parts; whatever fails in its scripts is collected."""
    page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}).new_page()
    page.set_default_timeout(20_000)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if "Content Security" in message.text else None)
    page.goto(address)
    page.wait_for_selector("h1:has-text('answers marked')")
    return page


def until(page, expression: str, seconds: float = 20.0) -> None:
    """Wait until an expression holds in a page; the driver's own way of waiting needs `eval`, which our policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, (
            f"{expression} did not come to hold on {page.url}: {page.inner_text('body')[:500]}"
        )
        page.wait_for_timeout(20)
