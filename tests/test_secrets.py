"""No secret that a message holds is in anything that we make of it."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from hopguard.checker import Checker
from hopguard.cli import main
from hopguard.message import FieldLine, Message, RawFields, Request, Response, Version
from hopguard.mitm import flows
from hopguard.mitm.lines import line_of
from hopguard.record import Circumstances, Record, Redaction, make_record
from hopguard.reports.formats import ReportFormat
from hopguard.rule import PROFILES, Evidence, Finding, Requirement, Rule, message_rule
from hopguard.rules import load_rules
from hopguard.transcript import parse
from tests.mitm.building import live_flow
from tests.planting import NAMES, SECRET, VALUES, leaks, lines_of, spellings

CHECKER = Checker(PROFILES)
VERSIONS: tuple[Version, ...] = get_args(Version)
URL = f"https://user:{SECRET.decode()}@h.example/p?token={SECRET.decode()}#{SECRET.decode()}"


def record_of(finding: Finding, redaction: Redaction | None = None) -> Record:
    """Make a record whose URL holds secrets, too."""
    where = Circumstances(time=0, url=URL, method=b"GET", client="192.0.2.1:5")
    return make_record(finding, where, redaction or Redaction())


def surrounded(name: bytes, line: tuple[bytes, bytes]) -> Iterator[RawFields]:
    """Put a field line where it is a finding, or makes another one."""
    yield ((b"Host", b"h"), line)
    yield ((b"Host", b"h"), (b"Via", b"1.1 p"), line, (b"Connection", b"close, " + name))
    yield ((b"Connection", line[0]), (b"Trailer", name), line, line)
    yield ((b"Connection", b"close\r\n %s: %s" % line), (b"Transfer-Encoding", b"chunked"))


def judged(version: Version, name: bytes, line: tuple[bytes, bytes]) -> Iterator[Finding]:
    """Give what is found about a field line wherever it may stand."""
    for fields in surrounded(name, line):
        trailers = (line, (b"x", b"1"))
        request = Request(
            version=version, fields=fields, leg="client", method=b"GET", trailers=trailers
        )
        responses = [
            Response(version=version, fields=fields, leg="server", status=status, trailers=trailers)
            for status in (101, 407)
        ]
        for message in (request, *responses):
            yield from CHECKER.check_message(message)
            yield from CHECKER.check_trailers(message)
        for response in responses:
            yield from CHECKER.check_exchange(request, response)


@cache
def everything(version: Version, name: bytes) -> list[Record]:
    """Give the records about a field on a version of HTTP, in every spelling, with every value."""
    findings = (finding for line in lines_of(name) for finding in judged(version, name, line))
    return [record_of(finding) for finding in dict.fromkeys(findings)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", NAMES)
def test_records_and_lines(version: Version, name: bytes) -> None:
    """Neither the value of the field nor what is in the URL; but there is a finding about it."""
    hidden = 0
    for record in everything(version, name):
        assert leaks(json.dumps(record)) == []
        assert leaks(str(line_of(record))) == []
        assert leaks(line_of(record).coloured()) == []
        hidden += record["value"] == "[redacted]"
    assert hidden > 10


def test_a_connection_option_names_the_field() -> None:
    """The name is what the finding is about; it is no secret."""
    fields = ((b"Host", b"h"), (b"Connection", b"Cookie"), (b"Cookie", SECRET))
    request = Request(version="HTTP/1.1", fields=fields, leg="client", method=b"GET")
    (record,) = [record_of(finding) for finding in CHECKER.check_message(request)]
    assert (record["field"], record["value"]) == ("Connection", "Cookie")
    assert '"Cookie"' in record["message"]


@pytest.mark.parametrize("form", get_args(ReportFormat))
def test_reports(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the log with all of it, in every format, and the baseline made of it."""
    log, baseline = tmp_path / "v.jsonl", tmp_path / "baseline"
    records = [record for name in NAMES for record in everything("HTTP/1.1", name)]
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    report = tmp_path / "report"
    arguments = ["report", str(log), "--write-baseline", str(baseline), "--format", form]
    assert main(arguments) == 0
    assert main([*arguments, "--output", str(report)]) == 0
    captured = capsys.readouterr()
    assert "connection" in captured.out.lower()
    for text in (captured.out, captured.err, baseline.read_text(), report.read_text()):
        assert leaks(text) == []


@pytest.mark.parametrize("name", [b"X-Api-Key", b"apikey"])
def test_what_people_add(name: bytes) -> None:
    """Their names are spelt in every way as well."""
    redaction = Redaction.of([name.decode()], keep_query=False)
    for spelling in spellings(name):
        for value in VALUES:
            assert redaction.hides_line(FieldLine("header", 0, spelling, value))
    assert not redaction.hides(b"X-Api-Keys")
    assert not redaction.hides(b"Cookie")


def test_values_that_only_look_like_lines() -> None:
    """A colon is no crime."""
    redaction = Redaction()
    for value in (b"cookie: x", b"x\r\n y: z", b"close\r\n cookie", b""):
        assert not redaction.hides_line(FieldLine("header", 0, b"Connection", value))


def test_a_crashing_rule(caplog: pytest.LogCaptureFixture) -> None:
    """The text of its exception may quote what it stumbled over."""

    def check(message: Message) -> Iterator[Evidence]:
        yield Evidence(str(int(message.fields[0][1])))

    check.__module__ = "hopguard.rules.some_group.some_rule"
    rule = message_rule(
        requirement=Requirement(9110),
        profiles=("rfc9110",),
        versions=frozenset({"HTTP/1.1"}),
        violating=(),
        conforming=(),
    )(check)
    request = Request(
        version="HTTP/1.1", fields=((b"Cookie", SECRET),), leg="client", method=b"GET"
    )
    with caplog.at_level(logging.DEBUG):
        assert Checker(rules=[rule]).check_message(request) == []
    assert "rule some-rule crashed" in caplog.text
    assert "ValueError" in caplog.text
    assert "int(message.fields" in caplog.text  # where it happened
    assert leaks(caplog.text) == []


@pytest.mark.parametrize("host", ["u:%s@h", "u:a/%s@h", "u:a?%s@h:80", "%s@[::1]:80", "a@b:%s@h"])
@pytest.mark.parametrize("keep_query", [False, True])
def test_passwords_in_a_host_that_nobody_has_parsed(host: str, keep_query: bool) -> None:
    """As in a request that mitmproxy refuses before it has looked at Host."""
    flow = live_flow((b"Host", host.encode().replace(b"%s", SECRET)))
    flow.request.host = ""
    flow.request.data.headers["Host"] = host % SECRET.decode()
    shown = Redaction.of([], keep_query=keep_query).url(flows.url_of(flow))
    assert leaks(shown) == []
    assert shown.startswith(("http://h", "http://[::1]:80/"))


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.id)
def test_no_rule_quotes_another_field(rule: Rule) -> None:
    """The examples of all rules, with secrets beside what they are about."""
    found = 0
    secrets = tuple((name, SECRET) for name in NAMES)
    texts = [*rule.conforming, *(text for texts in rule.violating.values() for text in texts)]
    for text in texts:
        transcript = parse(text)
        messages = [
            replace(
                one, fields=one.fields + secrets, trailers=one.trailers and one.trailers + secrets
            )
            for one in transcript.messages
        ]
        findings = [finding for one in messages for finding in CHECKER.check_message(one)]
        findings += [finding for one in messages for finding in CHECKER.check_trailers(one)]
        for one, two in pairwise(messages):
            if isinstance(one, Request) and isinstance(two, Response):
                findings += CHECKER.check_exchange(one, two)
        found += len(findings)
        assert leaks(json.dumps([record_of(finding) for finding in findings], indent=0)) == []
    assert found
