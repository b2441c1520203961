"""The HTML report: complete, small, the same each time, and inert whatever a log says."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hopguard.extras import MissingExtraError
from hopguard.record import Record
from hopguard.reports import html
from hopguard.reports.html import write_html
from hopguard.reports.reading import KEYS
from hopguard.reports.sections import MOST_RULES, share
from hopguard.reports.summary import OTHER_RULES, Summary
from hopguard.rules import load_rules

RULES = [rule.id for rule in load_rules()]

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></svg></text><b>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "var(--error);url(//evil.example)",
    "\x1b[31mred\x07\x00",
    "\u202egnp.exe\u2066",
    "zero\u200bwidth\ufeff",
    "\\xff\\xfe",
    "\udcff lone",
    "line\nbreak\u2028and\u2029more",
)

VOID = {"meta", "br", "img", "link", "input", "hr", "base"}


class Page(HTMLParser):
    """What a document consists of; complains where elements are not nested properly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.captions: list[int] = []
        """Of each table, how many."""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> says something twice"
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.captions.append(0)
        if tag == "caption":
            assert self.open[-1] == "table"
            self.captions[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", " ".join(data.split())))

    def attributes(self, tag: str, name: str) -> list[str]:
        """List the values of an attribute."""
        return [attrs[name] or "" for found, attrs in self.tags if found == tag and name in attrs]

    @property
    def text(self) -> str:
        """What is read, but for the style sheet."""
        return "\n".join(text for tag, text in self.texts if tag != "style")


def record(**given: Any) -> Record:
    """Make a record as `read_records` gives it."""
    usual = {
        "time": "2026-11-24T03:25:31.831000Z",
        "rule": "connection-field-in-http2",
        "severity": "error",
        "message": "connection: close is a connection-specific field.",
        "sender": "client",
        "leg": "client",
        "part": "request",
        "http_version": "HTTP/2",
        "field": "connection",
        "value": "close",
        "action": "flagged",
        "method": "GET",
        "url": "https://www.example/events",
        "status": 200,
    }
    return {**dict.fromkeys(KEYS), **usual, **given}


def summarise(*records: Record) -> Summary:
    """Add them up."""
    summary = Summary()
    for one in records:
        summary.add(one)
    return summary


def render(summary: Summary, title: str = "Findings") -> str:
    """Write the report into a text."""
    out = io.StringIO()
    write_html(summary, out, title=title)
    return out.getvalue()


def various() -> Iterator[Record]:
    """Findings of every rule, host, version and sender, over two hours."""
    for number in range(len(RULES) * 4):
        yield record(
            rule=RULES[number % len(RULES)],
            severity=("error", "warning", "info")[number % 3],
            variant=("", "value", None)[number % 3],
            time=f"2026-11-24T{3 + number % 2:02}:{number % 60:02}:07.000000Z",
            url=f"https://h{number % 14}.example/{number % 5}",
            http_version=("HTTP/1.1", "HTTP/2")[number % 2],
            sender=("client", "server", None)[number % 3],
        )


@pytest.fixture(scope="module")
def page() -> Page:
    """Return a report on findings of all sorts."""
    return Page(render(summarise(*various()), "What was found"))


def test_it_is_one_inert_file(page: Page) -> None:
    """Nothing is loaded, nothing runs, and the policy forbids it."""
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "image", "use", "iframe", "object", "base", "form"}
    for tag, attrs in page.tags:
        assert not {"src", "srcset", "xlink:href", "style", "action"} & set(attrs)
        assert not [name for name in attrs if name.startswith("on")]
        if "href" in attrs:
            assert tag == "a"
    links = page.attributes("a", "href")
    assert all(link.startswith(("#", "https://")) for link in links)
    assert {link[1:] for link in links if link.startswith("#")} <= set(_ids(page))
    [policy] = [
        attrs["content"]
        for _, attrs in page.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )


def _ids(page: Page) -> list[str]:
    return [attrs["id"] or "" for _, attrs in page.tags if "id" in attrs]


def test_its_structure_can_be_heard(page: Page) -> None:
    """Landmarks, headings without gaps, names for all that has no text, tables that say what."""
    ids = _ids(page)
    assert len(ids) == len(set(ids))
    assert page.attributes("html", "lang") == ["en"]
    tags = [tag for tag, _ in page.tags]
    assert [tags.count(tag) for tag in ("main", "nav", "footer", "h1", "title")] == [1] * 5
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    labelled = [
        value for tag in ("section", "article") for value in page.attributes(tag, "aria-labelledby")
    ]
    assert len(labelled) == tags.count("section") + tags.count("article")
    assert set(labelled) <= set(ids)
    pictures = [attrs["aria-label"] for _, attrs in page.tags if attrs.get("role") == "img"]
    assert len(pictures) == tags.count("svg") == 6
    assert all(pictures)
    assert page.captions
    assert set(page.captions) == {1}
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in page.tags if tag == "th")


def test_it_tells_what_was_found(page: Page) -> None:
    """Totals, each rule with its explanation and its requirement, where, and an example."""
    text = page.text
    total = len(RULES) * 4
    assert f"{total} findings, made 2026-11-24 03:00:07 to 2026-11-24 04:59:07 UTC." in text
    assert "Findings per minute, by severity; times are UTC" in text
    assert "By host: the 10 most frequent" in text
    assert "By version" in text.splitlines()
    assert "(unknown)" in text
    for rule in load_rules():
        assert rule.id in text
        assert rule.requirement.url in page.attributes("a", "href")
        assert " ".join(rule.explanation.split("\n\n")[0].split()) in text
    assert "value (" in text
    assert "connection: close" in text
    assert "h13.example" in text
    assert "/4" in text.splitlines()
    assert "the violation log has all" in text


def test_severity_decides_the_order() -> None:
    """The worst first, then the most frequent."""
    summary = summarise(
        record(rule=RULES[0], severity="info"),
        record(rule=RULES[0], severity="info"),
        record(rule=RULES[1], severity="warning"),
        record(rule=RULES[2], severity="error"),
    )
    page = Page(render(summary))
    assert [text for tag, text in page.texts if tag == "h3"] == [RULES[2], RULES[1], RULES[0]]


def test_little_is_known() -> None:
    """A log that says next to nothing makes a report all the same."""
    bare = {**dict.fromkeys(KEYS), "rule": "some-future-rule", "severity": "info"}
    text = Page(render(summarise(bare))).text
    assert "1 finding." in text
    assert "No finding says when it was made." in text
    assert "This version of hopguard has no such rule." in text
    assert "(unknown), on the (unknown) leg" in text
    assert "(no path)" in text
    assert "Field line" not in text


def test_nothing_was_found() -> None:
    """That is a report too, and refers to nothing that is not there."""
    page = Page(render(Summary()))
    assert "There was no finding." in page.text
    assert {link[1:] for link in page.attributes("a", "href")} <= set(_ids(page))
    assert "svg" not in {tag for tag, _ in page.tags}


def test_notes_are_repeated() -> None:
    """As text, and not without end."""
    out = io.StringIO()
    notes = [f"<b>{number}\x1b</b>" for number in range(40)]
    write_html(summarise(record()), out, title="Findings", notes=notes)
    text = Page(out.getvalue()).text
    assert r"<b>29\x1b</b>" in text
    assert "<b>30" not in text
    assert "There are 10 further notes." in text


def test_one_moment() -> None:
    """A span that is none is not written as one."""
    text = Page(render(summarise(record(), record()))).text
    assert "2 findings, made 2026-11-24 03:25:31 UTC." in text
    assert "Findings per second" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "second"),
        (15, "15 seconds"),
        (300, "5 minutes"),
        (3_600, "hour"),
        (43_200, "12 hours"),
        (86_400, "day"),
        (604_800, "week"),
        (1_209_600, "2 weeks"),
    ],
)
def test_lengths_of_bars(seconds: int, words: str) -> None:
    """In the largest unit."""
    assert html._length(seconds) == words


def test_the_same_findings_give_the_same_octets() -> None:
    """Also the pictures."""
    first, second = (render(summarise(*various())) for _ in range(2))
    assert first == second
    assert first.isascii()


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_shown_as_text(value: str) -> None:
    """Wherever they stand: they add no element and no attribute, and nothing invisible."""
    keys = set(KEYS) - {"time", "severity", "requirement", "line", "status", "edits"}
    harmless, hostile = (
        Page(render(summarise(record(**dict.fromkeys(keys, text))), text))
        for text in ("harmless", value)
    )
    assert [_shape(one) for one in hostile.tags] == [_shape(one) for one in harmless.tags]
    everything = [text for _, text in hostile.texts] + [
        said for _, attrs in hostile.tags for said in attrs.values() if said
    ]
    assert "".join(everything).isascii()
    assert "".join(everything).isprintable()
    assert "49" not in hostile.text


def _shape(tag: tuple[str, dict[str, str | None]]) -> tuple[str, frozenset[str]]:
    return tag[0], frozenset(tag[1])


def test_hostile_values_can_still_be_read() -> None:
    """What is escaped is not lost."""
    page = Page(
        render(summarise(record(value=HOSTILE[0], url="http://e/\u202e")), "Caf\xe9 \u202e")
    )
    assert HOSTILE[0] in page.text
    assert r"\xe2\x80\xae" in page.text
    assert "Caf\xe9 \\u{202e}" in page.text


def test_what_is_left_out_is_said() -> None:
    """Of many places the most frequent are listed; the sums are right nevertheless."""
    records = [record(url=f"http://h{n // 40}.example/{n % 40}") for n in range(1_600)]
    page = Page(render(summarise(record(url="http://often.example/"), *records, *records[:40])))
    text = page.text
    assert "1,641 findings" in text
    assert re.search(r"\b\d+ findings elsewhere are only in the totals", text)
    assert "at further hosts and paths, which are not listed here" in text
    assert "often.example" in text


def test_labels_fit() -> None:
    """Long names are cut above their bars, but those of rules are not."""
    assert max(map(len, RULES)) <= html.LABEL_LIMIT
    page = Page(render(summarise(record(rule=max(RULES, key=len), url=f"http://{'h' * 90}/"))))
    labels = [text for tag, text in page.texts if tag == "text"]
    assert max(RULES, key=len) in labels
    assert "h" * (html.LABEL_LIMIT - 3) + "..." in labels


def test_tables_end_somewhere() -> None:
    """And say what the rest amounts to."""
    page = Page(render(summarise(*(record(url=f"http://h{n}.example/") for n in range(60)))))
    cells = [text for tag, text in page.texts if tag in {"th", "td"}]
    assert cells[cells.index("all others") + 1] == "10"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ([], []),
        ([3, 2], [3, 2]),
        ([50, 2, 50], [4, 2, 4]),
        ([50, 60, 70], [3, 3, 4]),
        ([0, 0], [0, 0]),
    ],
)
def test_places_are_shared_fairly(wanted: list[int], given: list[int]) -> None:
    """What a rule does not need is there for the others."""
    assert share(wanted, 10) == given


@pytest.mark.parametrize("filling", ['"', "&", "\x00", "\U0001f600", "W"])
def test_it_stays_small(filling: str) -> None:
    """With as many rules, hosts and paths as a summary can hold, and values that grow most."""
    summary = Summary()
    long = filling * 3_000
    for rule in range(210):
        for place in range(40):
            summary.add(
                record(
                    **dict.fromkeys(("message", "value", "field", "variant", "method"), long),
                    rule=f"{filling * 60}{rule}",
                    url=f"http://{place}{filling * 300}/{place}{long}",
                    sender=f"{place}{long}",
                    http_version=f"{place}{long}",
                )
            )
    summary.add(record(rule=OTHER_RULES))
    text = render(summary)
    assert len(text) < 5_000_000
    assert f"{len(summary.rules) - MOST_RULES} further rules were broken" in Page(text).text


def test_rules_that_were_not_told_apart() -> None:
    """They stand under a name that is no rule's."""
    text = Page(render(summarise(record(rule=OTHER_RULES)))).text
    assert "The rules beyond those that were told apart." in text


@pytest.mark.parametrize("module", ["jinja2", "vl_convert"])
def test_a_missing_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says what to install, and nothing was written."""
    monkeypatch.setitem(sys.modules, module, None)
    out = io.StringIO()
    with pytest.raises(MissingExtraError) as raised:
        write_html(summarise(record()), out, title="Findings")
    assert str(raised.value) == (
        "the HTML report needs the extra 'report': pip install 'hopguard[report]'"
    )
    assert out.getvalue() == ""


def _schemes() -> Iterator[dict[str, str]]:
    sheet = (Path(html.__file__).parent / "templates" / "report.css").read_text()
    for block in re.findall(r":root \{(.*?)\}", sheet, re.DOTALL):
        yield dict(re.findall(r"--([\w-]+): (#\w+);", block))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_contrast_suffices() -> None:
    """WCAG 2.2, level AA: 4.5 for text, 3 for what else carries meaning, in every scheme."""
    schemes = list(_schemes())
    assert len(schemes) == 3
    for scheme in schemes:
        for name, colour in scheme.items():
            for below in ("paper", "panel"):
                high, low = sorted(map(_luminance, (colour, scheme[below])), reverse=True)
                contrast = (high + 0.05) / (low + 0.05)
                if name in {"ink", "quiet", "link"} or name.endswith("-text"):
                    assert contrast >= 4.5, (name, below)
                elif name in {"error", "warning", "info", "bar"}:
                    assert contrast >= 3, (name, below)


@pytest.mark.peer
def test_a_browser_has_nothing_to_complain_about(tmp_path: Path) -> None:
    """It shows the report without a word; to all that is loaded or run, it would have objected."""
    text = render(summarise(*various(), *(record(value=value) for value in HOSTILE)))
    assert _complaints(text, tmp_path / "report.html") == []
    spoilt = text.replace("<main", "<img src='https://www.example/x'><script>1</script><main")
    assert len(_complaints(spoilt, tmp_path / "spoilt.html")) == 2


def _complaints(text: str, path: Path) -> list[str]:
    """Show `text` in Chromium and return what it logs about it, such as what the policy forbids."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    path.write_text(text, encoding="utf-8")
    switches = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--disable-dev-shm-usage", "--enable-logging=stderr", "--dump-dom"),
    ]
    command = [chromium, *switches, f"--user-data-dir={path.parent / 'profile'}", path.as_uri()]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    assert b"</footer>" in done.stdout
    return [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
