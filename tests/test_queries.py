"""The queries in the README answer what they say they answer."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from hopguard.checker import Checker
from hopguard.record import Circumstances, Record, Redaction, make_record
from hopguard.rule import PROFILES
from hopguard.rules import load_rules
from hopguard.transcript import parse

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(sql|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOSTS = (
    "http://a.example/x",
    "https://b.example:8443/y?q=/",
    "http://[::1]:80/",
    "c.example:443",
    None,
)
NOW = datetime.now(UTC)
SEED = 6


def queries() -> list[str]:
    """Take the queries from between the markers, without prompts."""
    text = README.read_text("utf-8").partition("<!-- queries -->")[2]
    blocks = BLOCK.findall(text.partition("<!-- /queries -->")[0])
    return [code.removeprefix("$ ").strip() for _, code in blocks]


def everything() -> Iterator[Record]:
    """Make records of the examples of all rules; the later half of the rules is new today."""
    checker, hosts = Checker(PROFILES), cycle(HOSTS)
    rules = load_rules()
    for number, rule in enumerate(rules):
        # No two records have the same time: the first one of a rule is asked for.
        hours = 30 if number < len(rules) // 2 else 20
        age = timedelta(hours=hours, milliseconds=number)
        for texts in rule.violating.values():
            for message in (one for text in texts for one in parse(text).messages):
                for finding in checker.check_message(message):
                    age -= timedelta(seconds=1)
                    where = Circumstances(
                        time=(NOW - age).timestamp(), url=next(hosts), client="192.0.2.1:5"
                    )
                    record = make_record(finding, where, Redaction())
                    yield {**record, "flow": f"{number}-{age.seconds}"}


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Give what is in a log in the current folder: two files, of which one was interrupted."""
    monkeypatch.chdir(tmp_path)
    made = list(everything())
    random.Random(SEED).shuffle(made)
    half = len(made) // 2
    for name, some in (("violations.jsonl.1", made[:half]), ("violations.jsonl", made[half:])):
        lines = [json.dumps(record) for record in some]
        lines[3:3] = ['{"schema":"hopguard/1","ti', ""]
        Path(name).write_text("\n".join(lines) + "\n")
    return made


def ask(query: str) -> list[tuple[str, ...]]:
    """Run a query of the README; all values as text."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/Los_Angeles'")
        inner = query.rstrip(";")
        return connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({inner})").fetchall()


def host_of(record: Record) -> str | None:
    """Say which host a record is about."""
    url = record["url"]
    if url is None or "://" not in url:
        return url and str(url).partition(":")[0]
    return urlsplit(url).netloc.removesuffix(":8443").removesuffix(":80")


def need(*programs: str) -> None:
    """Skip the test where a program is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def test_there_are_four() -> None:
    """And none that is not run."""
    assert [query.split()[0] for query in queries()] == ["SELECT", "SELECT", "jq", "tail"]


def test_hosts(records: list[Record]) -> None:
    """The first one."""
    groups = defaultdict(list)
    for record in records:
        if record["severity"] != "info":
            key = (record["severity"], record["rule"], host_of(record))
            groups[key].append(record["time"])
    found = ask(queries()[0])
    assert {one[:3]: int(one[3]) for one in found} == {
        key: len(all_) for key, all_ in groups.items()
    }
    order = [(one[0], -int(one[3])) for one in found]
    assert order == sorted(order)
    for severity, rule, host, _, first, last in found:
        spans = [datetime.fromisoformat(time) for time in (first, last)]
        times = [datetime.fromisoformat(time) for time in groups[severity, rule, host]]
        assert spans == [min(times), max(times)]


def test_what_is_new(records: list[Record]) -> None:
    """The second one."""
    groups = defaultdict(list)
    for record in records:
        groups[record["rule"], record["sender"]].append((record["time"], record["flow"]))
    yesterday = (NOW - timedelta(days=1)).isoformat()
    expected = {
        (*key, str(len(found)), min(found)[1])
        for key, found in groups.items()
        if min(found)[0] > yesterday
    }
    assert 0 < len(expected) < len(groups)
    assert set(ask(queries()[1])) == expected


@pytest.mark.peer
def test_counts(records: list[Record]) -> None:
    """The third one."""
    need("jq")
    done = subprocess.run(["bash", "-c", queries()[2]], capture_output=True, check=True, text=True)
    assert done.stderr == ""
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    keys = ("severity", "rule", "sender", "http_version")
    expected = Counter("\t".join(str(record[key]) for key in keys) for record in records)
    assert {name: int(count) for count, name in rows} == expected
    assert [int(count) for count, _ in rows] == sorted(expected.values(), reverse=True)


@pytest.mark.peer
def test_errors_as_they_happen(records: list[Record]) -> None:
    """The fourth one, over a rotation."""
    need("jq", "tail")
    log = Path("violations.jsonl")
    errors = [one for one in records[len(records) // 2 :] if one["severity"] == "error"]
    following = subprocess.Popen(
        ["bash", "-c", queries()[3]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        assert following.stdout
        lines = [following.stdout.readline() for _ in errors]
        log.rename("violations.jsonl.2")
        log.write_text(json.dumps(errors[0]) + "\n")
        lines.append(following.stdout.readline())
    finally:
        os.killpg(following.pid, signal.SIGKILL)
        following.communicate()
    assert lines == [told(record) for record in [*errors, errors[0]]]


def told(record: Record) -> str:
    """Give the line that the fourth one makes of a record."""
    where = record["url"] or record["client"]
    return f"{record['time']} {where} {record['message']} {record['requirement']['url']}\n"
