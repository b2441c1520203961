"""The command `hopguard.report`, as mitmproxy calls it."""

import csv
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import exceptions, http
from mitmproxy.addons.view import View
from mitmproxy.test import taddons, tflow

from hopguard.extras import MissingExtraError
from hopguard.mitm.addon import Hopguard
from hopguard.reports import html
from tests.mitm.building import live_flow


@pytest.fixture
def context() -> Iterator[taddons.context]:
    """Give a mitmproxy with the addon."""
    addon = Hopguard()
    with taddons.context(addon) as made:
        yield made
        addon.done()


def judged(context: taddons.context) -> http.HTTPFlow:
    """Make a flow with a finding."""
    flow = live_flow((b"connection", b"keep-alive"), version="HTTP/2.0")
    context.master.addons.get("hopguard").requestheaders(flow)
    return flow


def test_a_report_on_flows(
    context: taddons.context, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of what they carry, those without a finding included."""
    path = tmp_path / "report.csv"
    flows = [judged(context), tflow.tflow(), judged(context), tflow.ttcpflow()]
    with caplog.at_level(logging.INFO):
        context.master.commands.call("hopguard.report", "csv", str(path), flows)
    with path.open() as lines:
        assert [row["rule"] for row in csv.DictReader(lines)] == ["connection-field-in-http2"] * 2
    assert caplog.messages[-1] == f"hopguard: a report on 2 findings of 4 flows is in {path}"


@pytest.mark.parametrize("form", ["text", "html", "sarif", "junit", "jsonl", "csv"])
def test_every_format(context: taddons.context, tmp_path: Path, form: str) -> None:
    """Typed as a person does, who is offered the formats."""
    flows = View()
    context.master.addons.add(flows)
    flows.add([judged(context)])
    path = tmp_path / "report"
    assert form in context.master.commands.execute("hopguard.report.formats")
    context.master.commands.execute(f"hopguard.report {form} '{path}' @all")
    assert "connection-field-in-http2" in path.read_text()


def test_what_a_saved_flow_may_hold(context: taddons.context, tmp_path: Path) -> None:
    """What is no record is left out."""
    flows = [tflow.tflow(), tflow.tflow()]
    flows[0].metadata["hopguard"] = [7, {}, {"rule": "\x1b[2J", "severity": "info"}]
    flows[1].metadata["hopguard"] = "nothing"
    path = tmp_path / "report"
    context.master.commands.call("hopguard.report", "jsonl", str(path), flows)
    assert [json.loads(line)["rule"] for line in path.read_text().splitlines()] == ["\\x1b[2J"]


def test_what_cannot_be_done(
    context: taddons.context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each says why in one line."""
    call = context.master.commands.call

    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("the HTML report", "report")

    monkeypatch.setattr(html, "write_html", missing)
    with pytest.raises(exceptions.CommandError, match="'pdf' is none of text, html"):
        call("hopguard.report", "pdf", str(tmp_path / "x"), [])
    with pytest.raises(exceptions.CommandError, match=f"cannot write {tmp_path}: Is a directory"):
        call("hopguard.report", "text", str(tmp_path), [])
    with pytest.raises(exceptions.CommandError, match=r"pip install 'hopguard\[report\]'"):
        call("hopguard.report", "html", str(tmp_path / "x"), [])
