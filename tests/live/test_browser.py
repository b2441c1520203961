"""What a person sees in mitmweb and on the page /hopguard, in a real Chromium."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.live.browser import Browser, chromium, needs_chromium
from tests.peers import (
    Http1Client,
    Http1Origin,
    Http2Client,
    Mitm,
    message,
    request_lines,
)

pytestmark = [pytest.mark.live, pytest.mark.peer, needs_chromium]

FOLDER = Path(__file__).parent
ADDON = FOLDER.parents[1] / "addon" / "hopguard_addon.py"

EVIL = (
    b"<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\"'\x1b[31m"
    + "\u202e\u200b".encode()
    + b"\xff"
)
ESCAPED = (
    "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\"'"
    r"\x1b[31m\xe2\x80\xae\xe2\x80\x8b\xff"
)
EVIL_PATH = b"/<img/src=x/onerror=window.hacked=1>\x1b[31m\xe2\x80\xae\xff"
ESCAPED_PATH = r"/<img/src=x/onerror=window.hacked=1>\x1b[31m\xe2\x80\xae\xff"

OK = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")
UNLISTED, IN_HTTP2 = "keep-alive-without-connection-option", "connection-field-in-http2"
ILLEGAL = "connection-field-illegal-octets"

ATTACK = FOLDER / "attack.html"
"""A page that tries what a page of another origin must not be able to do."""

CONTRASTS = FOLDER / "contrasts.js"
"""Tells how well texts stand out from what is behind them."""


def bad(*lines: bytes) -> bytes:
    """Make a response with these field lines."""
    return message(b"HTTP/1.1 200 OK", *lines, b"Content-Length: 0")


@pytest.fixture(scope="module")
def origin() -> Iterator[Http1Origin]:
    attack = ATTACK.read_bytes()
    answers = {
        "/good": OK,
        "/unlisted": bad(b"Keep-Alive: timeout=5"),
        "/evil": bad(b"Keep-Alive: " + EVIL),
        "/attack": message(
            b"HTTP/1.1 200 OK",
            b"Content-Type: text/html",
            b"Connection: close",
            b"Content-Length: %d" % len(attack),
            body=attack,
        ),
    }
    with Http1Origin(answers, default=bad(b"Keep-Alive: timeout=7")) as started:
        yield started


@pytest.fixture(scope="module")
def mitm(confdir: Path, origin: Http1Origin) -> Iterator[Mitm]:
    with Mitm(
        f"reverse:{origin.url}",
        scripts=[ADDON],
        options={"web_columns": ["path", "status", "comment"]},
        confdir=confdir,
        tool="mitmweb",
    ) as started:
        fetch(started, b"/good", b"/unlisted", b"/evil", EVIL_PATH)
        with Http2Client(started.address()) as client:
            client.exchange(request_lines("/good", (b"connection", b"keep-alive")))
        yield started


def fetch(mitm: Mitm, *paths: bytes) -> None:
    """Fetch something, on one connection."""
    with Http1Client(mitm.address()) as client:
        for path in paths:
            client.exchange(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


def address(mitm: Mitm, path: str = "/hopguard") -> str:
    """Give an address in mitmweb, without password."""
    return f"http://{urlsplit(mitm.web_url).netloc}{path}"


@pytest.fixture
def page(browser: Browser, mitm: Mitm) -> Iterator[Browser]:
    """Give the page, loaded anew by somebody who is logged in; nothing may go wrong in it."""
    token = urlsplit(mitm.web_url).query
    browser.faults()
    browser.size(1400, 900)
    browser.scheme("light")
    browser.get(address(mitm, f"/hopguard?{token}"))
    browser.until(lambda: browser.text("#live") == "Live" and rows(browser), "the findings")
    yield browser
    for extra in browser.window_handles[1:]:
        browser.switch_to.window(extra)
        browser.close()
    browser.switch_to.window(browser.window_handles[0])
    assert browser.faults() == []
    assert browser.run("return window.hacked") is None


def rows(browser: Browser) -> list[str]:
    """Return the texts of the rows in the document, from the top, once they are drawn."""
    texts = browser.run(
        """const rows = [...document.querySelectorAll("#rows [role=row]")];
        rows.sort((one, other) => one.ariaRowIndex - other.ariaRowIndex);
        return rows.map((row) => [...row.children].map((cell) => cell.textContent).join(" | "));"""
    )
    assert isinstance(texts, list)
    return texts


def search(browser: Browser, text: str) -> None:
    """Filter by words."""
    field = browser.one("#search")
    field.clear()
    field.send_keys(text)


def test_log_in(browser: Browser, mitm: Mitm) -> None:
    """With a wrong password, there is nothing; the right one does not stay in the address."""
    browser.get(address(mitm))
    browser.delete_all_cookies()
    browser.get(address(mitm))
    browser.one("input[type=password]").send_keys("wrong", Keys.ENTER)
    browser.until(lambda: "403 Invalid Password" in browser.page_source, "a refusal")
    assert UNLISTED not in browser.page_source
    token = urlsplit(mitm.web_url).query.removeprefix("token=")
    browser.one("input[type=password]").send_keys(token, Keys.ENTER)
    browser.until(lambda: rows(browser), "the findings")
    browser.get(address(mitm, f"/hopguard?token={token}#severity=error"))
    browser.until(lambda: rows(browser), "the findings")
    assert browser.current_url == address(mitm, "/hopguard#severity=error")
    browser.get("about:blank")
    browser.faults()


def listed(browser: Browser) -> list[str]:
    """Return the texts of mitmweb's list of flows."""
    texts = browser.run(
        """return [...document.querySelectorAll(".flow-table tbody tr")]
        .map((row) => row.textContent.toWellFormed()).filter(Boolean);"""
    )
    assert isinstance(texts, list)
    return texts


def is_listed(browser: Browser, number: int) -> bool:
    """Tell whether mitmweb lists so many flows."""
    return len(listed(browser)) == number


def test_the_list_of_flows(browser: Browser, mitm: Mitm) -> None:
    """Markers and comments, and the filters that the README names."""
    browser.get(mitm.web_url)
    browser.until(lambda: len(listed(browser)) == 5, "all flows")
    markers = [one.text for one in browser.all(".flow-table .marker") if one.text]
    assert markers == ["\N{LARGE RED CIRCLE}"] * 4
    comments = [one.text for one in browser.all(".flow-table td.col-comment")]
    assert comments == [
        "",
        f"hopguard: {UNLISTED}",
        f"hopguard: {ILLEGAL}, {UNLISTED}",
        f"hopguard: {UNLISTED}",
        f"hopguard: {IN_HTTP2}",
    ]
    assert browser.run("return window.hacked") is None
    field = browser.one("input[placeholder=Search]")
    for text, number in (
        ("~marked", 4),
        ("~comment hopguard", 4),
        (f"~comment {IN_HTTP2}", 1),
        (f"~comment {UNLISTED}", 3),
    ):
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)
        browser.until(partial(is_listed, browser, number), text)


def test_the_content_view(browser: Browser, mitm: Mitm) -> None:
    """Chosen where there is no body; hostile values are text."""
    browser.get(mitm.web_url)
    browser.until(lambda: len(listed(browser)) == 5, "all flows")
    browser.all(".flow-table tbody tr.has-request")[2].click()
    browser.until(
        lambda: next(tab for tab in browser.all(".nav-tabs a") if tab.text == "Response"), "a tab"
    ).click()
    browser.until(lambda: "ERROR keep-alive" in browser.one(".contentview pre").text, "the view")
    shown = browser.one(".contentview pre").text
    assert f"hop-by-hop       Keep-Alive: {ESCAPED}" in shown
    assert browser.run("return document.querySelector('.contentview pre img, pre script')") is None
    browser.all(".flow-table tbody tr.has-request")[0].click()  # this one has a body
    browser.until(lambda: browser.one(".contentview pre").text == "ok", "the body")
    browser.all(".contentview .controls a")[-1].click()
    items = browser.until(lambda: browser.all(".dropdown-menu.show a"), "the menu")
    next(item for item in items if item.text == "hopguard").click()
    first = "Response 200 on the server leg, HTTP/1.1: nothing found."
    browser.until(lambda: browser.one(".contentview pre").text.startswith(first), first)


def test_totals_and_rows(page: Browser) -> None:
    """By rule, severity, sender, host, version; a chart over time."""
    assert page.text("#total") == "5"
    assert page.text("#severities .error .count") == "5"
    values = page.run(
        "return [...document.querySelectorAll('.facet .value')].map((one) => one.textContent)"
    )
    assert isinstance(values, list)
    assert {f"{UNLISTED} 3", f"{IN_HTTP2} 1", "server 4", "client 1"} <= set(values)
    assert {"HTTP/1.1 4", "HTTP/2 1"} <= set(values)
    broken = [row.split(" | ")[2].partition("/")[0] for row in rows(page)]
    assert broken == [IN_HTTP2, UNLISTED, UNLISTED, ILLEGAL, UNLISTED]
    page.one("#timeline svg")
    words = "Bar chart of the findings over time, stacked by severity"
    page.until(lambda: words in str(page.one("#timeline").get_attribute("aria-label")), words)


def test_it_updates_while_traffic_flows(page: Browser, mitm: Mitm) -> None:
    """The row comes on top; totals follow."""
    before = int(page.text("#total"))
    fetch(mitm, b"/new")
    page.until(lambda: int(page.text("#total")) == before + 1, "a new finding")
    page.until(lambda: "/new" in rows(page)[0], "its row")


def test_hostile_values_are_text(page: Browser) -> None:
    """In the table, in the details, in the lanes."""
    shown = rows(page)
    assert any(f"Keep-Alive: {ESCAPED}" in row for row in shown)
    assert any(ESCAPED_PATH in row for row in shown)
    search(page, ESCAPED_PATH[:20])
    page.until(lambda: len(rows(page)) == 1, "one row")
    page.one("#rows .col-severity").click()
    page.one("#lanes svg")
    assert ESCAPED_PATH in page.text("#details")
    assert ESCAPED_PATH in page.text("#lanes")
    found = page.run(
        "return document.querySelectorAll('main img, main script, aside img, aside script').length"
    )
    assert found == 0


def test_filters(page: Browser) -> None:
    """Words, and values of the totals; they are in the address, so that they can be kept."""
    search(page, "http2 CLIENT")
    page.until(lambda: len(rows(page)) == 1, "one row")
    assert "1 of" in page.text("#shown")
    search(page, "nothing like that")
    page.until(lambda: not rows(page), "no row")
    page.until(lambda: page.one("#empty").text == "No finding passes the filter.", "a sentence")
    page.one(".chip.clear").click()
    page.until(lambda: len(rows(page)) > 1, "all rows")
    page.one(f".value[data-value='{IN_HTTP2}']").click()
    page.until(lambda: len(rows(page)) == 1, "one row")
    assert page.current_url.endswith(f"#rule={IN_HTTP2}")
    assert page.one(f".value[data-value='{IN_HTTP2}']").get_attribute("aria-pressed") == "true"
    page.refresh()
    page.until(lambda: len(rows(page)) == 1, "one row")
    page.one(".chip").click()
    page.until(lambda: len(rows(page)) > 1, "all rows")


def test_sorting(page: Browser) -> None:
    """By any column, both ways; screen readers are told."""
    page.one("#head [data-key=rule] button").click()
    page.until(lambda: ILLEGAL in rows(page)[0], "ascending")
    assert page.one("#head [data-key=rule]").get_attribute("aria-sort") == "ascending"
    page.one("#head [data-key=rule] button").click()
    page.until(lambda: ILLEGAL in rows(page)[-1], "descending")
    assert page.one("#head [data-key=rule]").get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("form", ["jsonl", "html", "sarif"])
def test_downloads_hold_what_is_shown(page: Browser, form: str) -> None:
    """Nothing else."""
    search(page, "timeout=5")
    page.until(lambda: len(rows(page)) == 1, "one row")
    page.one(f"#download [value={form}]").click()
    path = page.folder / f"hopguard.{form}"
    page.until(path.exists, "the file")
    text = path.read_text("utf-8")
    assert UNLISTED in text
    assert IN_HTTP2 not in text
    assert "onerror" not in text
    if form == "jsonl":
        (record,) = map(json.loads, text.splitlines())
        assert (record["rule"], record["value"]) == (UNLISTED, "timeout=5")


def is_selected(browser: Browser, path: str) -> bool:
    """Tell whether mitmweb shows the flow with this path."""
    return path in browser.one(".flow-table tr.selected").text


def test_a_row_opens_its_flow(page: Browser) -> None:
    """In mitmweb, in one tab; the next one is opened in the same."""
    for word, path in (("timeout=5", "/unlisted"), (IN_HTTP2, "/good")):
        search(page, word)
        page.until(lambda: len(rows(page)) == 1, "one row")
        page.one("#rows .col-place a").click()
        page.until(lambda: len(page.window_handles) == 2, "a tab")
        page.switch_to.window(page.window_handles[1])
        page.until(partial(is_selected, page, path), "the flow, selected")
        page.switch_to.window(page.window_handles[0])


def test_a_rule_opens_its_explanation(page: Browser) -> None:
    """With examples; Escape closes it."""
    page.one("#rows .rule").click()
    page.one("#rule[open] pre")
    assert page.text("#rule-title") == rows(page)[0].split(" | ")[2]
    assert "https://www.rfc-editor.org/" in str(page.one("#rule dd a").get_attribute("href"))
    page.one("#rule-body").send_keys(Keys.ESCAPE)
    page.until(lambda: not page.all("#rule[open]"), "the end")


def test_with_the_keyboard_alone(page: Browser) -> None:
    """Arrows move, Enter opens, Escape closes and leads back; the focus can be seen."""
    focus = "return document.activeElement.ariaRowIndex"
    page.one("#search").send_keys(Keys.ARROW_DOWN)
    page.until(lambda: page.run(focus) == "2", "the first row")
    style = page.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    page.until(lambda: page.run(focus) == "3", "the second row")
    page.switch_to.active_element.send_keys(Keys.END)
    page.until(lambda: page.run(focus) == str(len(rows(page)) + 1), "the last row")
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert page.switch_to.active_element.get_attribute("class") == "rule"
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT, Keys.ENTER)
    page.one("#lanes svg")
    assert "Connection, client" in page.text("#lanes")
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: page.all("#details[hidden]"), "the end")
    assert page.run(focus) == str(len(rows(page)) + 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_it_is_readable(page: Browser, scheme: str, width: int) -> None:
    """Light and dark, wide and on a phone: nothing sticks out, and text contrasts enough."""
    page.scheme(scheme)
    page.size(width, 850)
    page.until(lambda: page.run("return innerWidth") == width, "the width")
    page.one("#rows .col-severity").click()
    page.one("#lanes svg")
    assert page.run("return document.scrollingElement.scrollWidth") == width
    assert page.run("return document.querySelector('#details-body').scrollWidth <= innerWidth")
    background = str(page.run("return getComputedStyle(document.body).backgroundColor"))
    assert (background == "rgb(16, 19, 23)") == (scheme == "dark")
    contrasts = page.run(CONTRASTS.read_text("utf-8"))
    assert isinstance(contrasts, dict)
    assert min(contrasts.values()) >= 4.5, contrasts


def test_other_origins_are_refused(page: Browser, mitm: Mitm, origin: Http1Origin) -> None:
    """Also one on another port, to which the browser sends the cookie along."""
    page.get(f"{origin.url}/attack")
    host = urlsplit(mitm.web_url).netloc
    outcomes = page.run("return attack(arguments[0])", host)
    assert outcomes == dict.fromkeys(("data", "form", "socket", "script"), "refused")
    page.faults()


def test_without_the_extra(
    browser: Browser, confdir: Path, origin: Http1Origin, tmp_path: Path
) -> None:
    """The tables are there, and what to install."""
    script = tmp_path / "without_extra.py"
    script.write_text("import sys\nsys.modules['vl_convert'] = None\n")
    with Mitm(
        f"reverse:{origin.url}", scripts=[script, ADDON], confdir=confdir, tool="mitmweb"
    ) as mitm:
        fetch(mitm, b"/unlisted")
        browser.get(mitm.web_url.replace("/?", "/hopguard?"))
        browser.until(lambda: rows(browser), "the findings")
        missing = "Drawing charts needs the extra 'report': pip install 'hopguard[report]'."
        browser.until(lambda: browser.one("#charts-missing").text == missing, "what is missing")
        browser.one("#timeline-numbers summary").click()
        browser.until(
            lambda: "Findings per 1 second" in browser.text("#timeline-numbers"), "a table"
        )
        browser.one("#rows .col-severity").click()
        browser.until(lambda: "Connection, server" in browser.text("#lanes"), "the lanes in words")
        assert not browser.all("#lanes svg")
        browser.get("about:blank")


def test_it_follows_the_addon(
    browser: Browser, confdir: Path, origin: Http1Origin, tmp_path: Path
) -> None:
    """When that is loaded again, the page begins anew; when mitmweb ends, it says so.

    However many findings there are, only the rows that can be seen are in the document.
    """
    script = tmp_path / "addon.py"
    text = f"import sys\nsys.path.insert(0, {str(ADDON.parent)!r})\n{ADDON.read_text()}"
    script.write_text(text)
    with Mitm(f"reverse:{origin.url}", scripts=[script], confdir=confdir, tool="mitmweb") as mitm:
        fetch(mitm, b"/old", b"/old")
        browser.size(1400, 900)
        browser.get(mitm.web_url.replace("/?", "/hopguard?"))
        browser.until(lambda: browser.text("#total") == "2", "the findings")
        script.write_text(f"{text}\n# changed\n")
        browser.until(lambda: browser.text("#total") == "0", "that they are gone")
        assert not rows(browser)
        fetch(mitm, *[b"/%d" % number for number in range(300)])
        browser.until(lambda: browser.text("#shown") == "300 findings", "all new ones")
        browser.until(lambda: "/299" in rows(browser)[0], "the newest one")
        assert len(rows(browser)) < 60
        browser.one("#search").send_keys(Keys.ARROW_DOWN)
        browser.switch_to.active_element.send_keys(Keys.END)
        browser.until(lambda: rows(browser)[-1].endswith("/0 | flagged"), "the oldest one")
        assert browser.run("return document.activeElement.ariaRowIndex") == "301"
        assert len(rows(browser)) < 60
        mitm.process.stop()
        browser.until(lambda: "trying again" in browser.text("#live"), "that it has ended")
    browser.get("about:blank")
    browser.faults()
