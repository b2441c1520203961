"""A real Chromium, driven through chromedriver."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.peers import TIMEOUT

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver"
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
)


class Browser(Chrome):
    """Chromium, with what these tests ask of it again and again."""

    folder: Path
    """Of downloads."""

    def size(self, width: int, height: int) -> None:
        """Give the page so many pixels, also fewer than a window can have."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def scheme(self, name: str) -> None:
        """Prefer `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def until[T](self, condition: Callable[[], T], what: str) -> T:
        """Wait until `condition` gives something true, and return that."""
        waiting = WebDriverWait(self, TIMEOUT, 0.05, [StaleElementReferenceException])
        return waiting.until(lambda _: condition(), what)

    def one(self, selector: str) -> WebElement:
        """Wait for the element that a CSS selector means."""
        return self.until(lambda: self.all(selector), selector)[0]

    def all(self, selector: str) -> list[WebElement]:
        """Find elements by a CSS selector."""
        return self.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Return the text of an element, whether or not it can be seen."""
        return str(self.run(f"return document.querySelector({selector!r})?.textContent"))

    def run(self, script: str, *arguments: object) -> object:
        """Run JavaScript in the page; a promise is awaited."""
        return self.execute_script(script, *arguments)

    def faults(self) -> list[str]:
        """Return what has gone wrong in the pages since the last call: errors, refused scripts."""
        entries = self.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(entry["message"]) for entry in entries]


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Start a Chromium that knows nothing yet; `folder` is for its data and its downloads."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={folder / 'data'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Browser(options, ChromeService(DRIVER))
    try:
        browser.folder = folder / "downloads"
        browser.folder.mkdir()
        behaviour = {"behavior": "allow", "downloadPath": str(browser.folder)}
        browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        browser.size(1400, 900)
        yield browser
    finally:
        browser.quit()
