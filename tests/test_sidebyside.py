"""The comparison's data is consistent, its checker notices faults, and its tables are fresh."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import sidebyside
from scripts.sidebyside import CASES, DOCUMENT, END, README, START
from scripts.sidebyside_case import FRAMING, Case, parse, parsed
from scripts.sidebyside_exchange import CONNECTION_FIELDS, Seen
from scripts.sidebyside_judge import differences, faults, unsafe
from scripts.sidebyside_products import CONFORMING
from scripts.sidebyside_reasons import REASONS
from scripts.sidebyside_table import Comparison, topics
from tests.peers import ProcessFailedError

NAMES = [f"{case.kind}: {case.name}" for case in CASES]


def perfect(case: Case) -> Seen:
    """Be an intermediary that does as it is asked to."""
    wanted = {*parsed(case.on), *parsed(case.protected)}
    lines = [line for line in parsed(case.lines) if line in wanted]
    if any(name == "upgrade" for name, _ in lines):
        lines.append(("connection", "upgrade"))
    coded = case.sends != case.body and case.version != "HTTP/1.0"
    length = ("content-length", str(len(case.body)))
    return Seen(
        messages=1,
        status=200,
        version=case.version,
        lines=tuple(lines),
        hosts=1,
        framing=(("transfer-encoding", "chunked") if coded else length,),
        body=case.body,
    )


def transparent(case: Case) -> Seen:
    """Be an intermediary that relays everything as it is."""
    lines = list(parsed(case.lines))
    sent = case.version if case.kind == "request" else case.start.partition(" ")[0]
    return replace(
        perfect(case),
        version="HTTP/2" if case.version == "HTTP/2" else sent,
        lines=tuple(line for line in lines if line[0] not in FRAMING),
        framing=tuple(line for line in lines if line[0] in FRAMING),
    )


def by_name(kind: str, name: str) -> Case:
    return next(case for case in CASES if (case.kind, case.name) == (kind, name))


def test_forty_and_forty() -> None:
    assert Counter(case.kind for case in CASES) == {"request": 40, "response": 40}


def test_each_case_is_told_apart() -> None:
    assert not [
        one
        for one, count in Counter((case.kind, case.topic, case.name) for case in CASES).items()
        if count > 1
    ]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_is_asked_for_is_what_is_sent(case: Case) -> None:
    groups = [case.on, case.may, case.protected]
    named = [line for group in groups for line in group]
    assert set(named) <= set(case.lines)
    assert len(named) == len(set(named))
    assert not {name for name, _ in parsed(tuple(named))} & (FRAMING | {"connection"})
    protected = {name for name, _ in parsed(case.protected)}
    assert protected <= set(case.options())


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_who_does_as_asked_is_right(case: Case) -> None:
    assert faults(case, perfect(case)) == []
    assert unsafe(case, perfect(case)) == []
    assert differences(case, perfect(case), perfect(case)) == []


def test_who_relays_everything_is_not() -> None:
    """But for the cases where nothing is wrong with that."""
    pairs = zip(NAMES, CASES, strict=True)
    right = [name for name, case in pairs if not faults(case, transparent(case))]
    assert right == [
        *("request: close", "request: keep-alive", "request: CLOSE in capitals"),
        *("request: Proxy-Authorization", "request: TE: trailers", "request: Trailer"),
        *("request: a WebSocket handshake", "request: Chunked in capitals"),
        *("request: keep-alive", "request: te: trailers"),
        *("response: close", "response: keep-alive", "response: CLOSE in capitals"),
        *("response: Proxy-Authenticate", "response: Trailer", "response: 426"),
        *("response: a WebSocket handshake", "response: Chunked in capitals"),
        "response: until the connection closes",
    ]


def kinds(case: Case, **changes: object) -> set[str]:
    """List what is found when a perfect answer is changed like this."""
    return {fault.kind for fault in faults(case, replace(perfect(case), **changes))}  # type: ignore[arg-type]


def test_every_fault_is_noticed() -> None:
    one = by_name("request", "one field")
    assert kinds(one, lines=(("x-hop", "1"), ("x-end", "2"))) == {"nominated"}
    assert kinds(one, lines=()) == {"loss"}
    end = ("x-end", "2")
    assert kinds(one, lines=(end, ("connection", "X-Hop"))) == {"option"}
    assert kinds(one, lines=(end, ("connection", ""))) == {"option"}
    assert kinds(one, lines=(end, ("connection", "close, keep-alive"))) == {"option"}
    assert kinds(one, lines=(end, ("connection", "Keep-Alive"))) == set()
    assert kinds(one, hosts=2) == {"host"}
    assert kinds(one, messages=2) == {"split"}
    assert kinds(one, messages=0, status=502) == {"refusal"}
    assert kinds(one, body=b"more") == {"body"}
    te = by_name("request", "TE: trailers")
    assert kinds(te, lines=(end, ("te", "trailers"))) == {"unlisted"}
    assert kinds(te, lines=(end, ("te", "trailers"), ("connection", "TE"))) == set()
    twice = by_name("request", "chunked twice")
    assert kinds(twice, framing=(("transfer-encoding", "chunked"),) * 2) == {"framing"}
    assert kinds(twice, messages=0, status=400) == set()
    old = by_name("response", "to an HTTP/1.0 client, chunked")
    assert kinds(old, framing=(("transfer-encoding", "chunked"),)) == {"chunked-to-1.0"}
    h2 = by_name("response", "to an HTTP/2 client, h2 advertised")
    assert kinds(h2, lines=(end, ("upgrade", "h2,h2c"))) == {"http2-upgrade", "upgrade"}


def test_who_lets_connection_delete_what_others_rely_on_is_noticed() -> None:
    case = by_name("request", "X-Forwarded-For")
    gone = replace(perfect(case), lines=(("x-end", "2"),))
    assert faults(case, gone) == []  # by the letter
    assert [fault.kind for fault in unsafe(case, gone)] == ["protected"]


def test_every_difference_is_noticed() -> None:
    case = by_name("request", "one field")
    good = perfect(case)

    def unlike(**changes: object) -> set[str]:
        changed = replace(good, **changes)  # type: ignore[arg-type]
        return {fault.kind for fault in differences(case, changed, good)}

    assert unlike(messages=0) == {"refusal"}
    assert unlike(version="HTTP/1.0") == {"HTTP/1.0"}
    assert unlike(lines=(*good.lines, ("x-hop", "1"))) == {"nominated"}
    assert unlike(lines=()) == {"x-end"}
    assert unlike(lines=(*good.lines, ("connection", "close"))) == {"own close"}
    assert unlike(lines=(*good.lines, ("connection", "X-Hop"))) == {"option"}
    assert unlike(framing=(("transfer-encoding", "chunked"),)) == {"framing"}
    assert unlike(body=b"x") == {"body"}
    nothing = replace(good, messages=0)
    assert [fault.kind for fault in differences(case, good, nothing)] == ["forwards"]
    assert differences(case, nothing, nothing) == []


def comparing(conforming: list[Seen]) -> Comparison:
    seen = {"mitmproxy": [transparent(case) for case in CASES], CONFORMING: conforming}
    return Comparison(CASES, dict.fromkeys(seen, "1.0"), seen)


@pytest.mark.parametrize("arguments", [[], ["--format=markdown"], ["--format=summary"]])
def test_exit_status(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [perfect(case) for case in CASES]
    monkeypatch.setattr(sidebyside, "compare", lambda: comparing(good))
    assert sidebyside.main(arguments) == 0
    assert "conforming is not" not in capsys.readouterr().err
    good[6] = transparent(CASES[6])
    monkeypatch.setattr(sidebyside, "compare", lambda: comparing(good))
    assert sidebyside.main(arguments) == 1
    said = "conforming is not: request, Nominated fields, one field: relays x-hop"
    assert said in capsys.readouterr().err


def fails(error: BaseException) -> Callable[[], Comparison]:
    def fail() -> Comparison:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (ProcessFailedError("nginx is ill"), 3, "The comparison failed: nginx is ill\n"),
    ],
)
def test_no_comparison(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sidebyside, "compare", fails(error))
    assert sidebyside.main([]) == status
    assert capsys.readouterr().err == said


def test_tables_are_written_only_if_all_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = {}
    for name, original in ("README", README), ("DOCUMENT", DOCUMENT):
        written[name] = tmp_path / name
        written[name].write_text(original.read_text("utf-8"), "utf-8")
        monkeypatch.setattr(sidebyside, name, written[name])
    few = comparing([perfect(case) for case in CASES])
    monkeypatch.setattr(sidebyside, "compare", lambda: few)
    assert sidebyside.main(["--update"]) == 3
    assert "not installed: nginx, HAProxy, Apache\n" in capsys.readouterr().err
    assert written["README"].read_text("utf-8") == README.read_text("utf-8")
    monkeypatch.setattr(sidebyside, "missing", lambda _: [])
    assert sidebyside.main(["--update"]) == 0
    assert "| requests and responses | mitmproxy 1.0 |" in written["README"].read_text("utf-8")
    assert "\nCompared: mitmproxy 1.0, conforming 1.0.\n" in written["DOCUMENT"].read_text("utf-8")


def block(text: str) -> str:
    assert text.count(START) == text.count(END) == 1
    return text.partition(START)[2].partition(END)[0].strip()


def test_the_readme_counts_these_cases() -> None:
    """What the products did cannot be known here; which messages they got can."""
    rows = block(README.read_text("utf-8")).splitlines()[2:]
    shown = [re.match(r"\| (.*) \((\d+)\) \|", row) for row in rows]
    expected = [(title, len(numbers)) for title, numbers in topics(CASES).items()]
    assert [(one[1], int(one[2])) for one in shown[: len(expected)] if one] == expected
    assert [one[2] for one in shown[len(expected) :] if one] == [
        str(len(CASES)),
        str(sum(bool(case.protected) for case in CASES)),
    ]


def test_conforming_is_right_in_the_readme() -> None:
    head, _, *rows = block(README.read_text("utf-8")).splitlines()
    column = next(n for n, cell in enumerate(head.split("|")) if cell.split()[:1] == ["conforming"])
    for row in rows:
        total = re.search(r"\((\d+)\) \|", row)
        assert total
        assert row.split("|")[column].strip() == total[1]


def test_the_document_shows_these_cases() -> None:
    shown = re.findall(r"^\| (request|response): (.*?)<br>", DOCUMENT.read_text("utf-8"), re.M)
    ordered = [CASES[number] for numbers in topics(CASES).values() for number in numbers]
    assert shown == [(case.kind, case.name) for case in ordered]


def test_the_document_gives_the_reasons_of_today() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert "unexplained" not in text
    known = {why for reasons in REASONS.values() for why in reasons.values()}
    assert not [why for why in known if why not in text]


def test_compared_everywhere() -> None:
    assert {parse(line)[0] for case in CASES for line in case.lines} >= CONNECTION_FIELDS
