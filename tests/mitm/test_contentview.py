"""The content view, as mitmproxy asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy import contentviews, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.contentviews import Metadata
from mitmproxy.test import taddons, tflow

from hopguard import annotation
from hopguard.mitm import contentview
from hopguard.mitm.addon import Hopguard
from tests.mitm.building import add_response, live_flow

CONNECTION = (b"connection", b"keep-alive")
HOSTILE = b"<script>\x1b[31m\xe2\x80\xae\xff\r\n"


@pytest.fixture
def addon() -> Iterator[Hopguard]:
    """Give an addon that is loaded, and unload it."""
    hopguard = Hopguard()
    with taddons.context(Proxyserver(), hopguard):
        yield hopguard
        hopguard.done()


def judged(addon: Hopguard, *fields: tuple[bytes, bytes], content: bytes = b"") -> http.HTTPFlow:
    """Make an HTTP/2 flow whose request the addon has seen."""
    flow = live_flow(*fields, version="HTTP/2.0")
    addon.requestheaders(flow)
    flow.request.raw_content = content
    return flow


def show(flow: http.HTTPFlow, view: str = "auto", *, response: bool = False) -> tuple[str, str]:
    """Let mitmproxy choose a view for a message; give its name and what it shows."""
    message = flow.response if response else flow.request
    assert message is not None
    shown = contentviews.prettify_message(message, flow, view)
    return str(shown.view_name), shown.text


def test_it_is_there_while_the_addon_is_loaded(addon: Hopguard) -> None:
    """And one of it alone, after mitmproxy has loaded the script again."""
    assert contentviews.registry.available_views().count("hopguard") == 1
    with taddons.context() as context:
        again = Hopguard()
        context.master.addons.add(again)
        assert contentviews.registry.available_views().count("hopguard") == 1
        addon.done()
        assert contentviews.registry.available_views().count("hopguard") == 1
        again.done()
    assert "hopguard" not in contentviews.registry


def test_it_is_what_mitmproxy_expects() -> None:
    """Its protocol, which is not inherited: mitmproxy 11 does not have it."""
    view = contentview.HopguardView()
    assert isinstance(view, contentviews.Contentview)
    assert view < contentviews.registry["raw"]


def test_a_version_of_mitmproxy_without_such_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no view, and no error."""
    monkeypatch.delattr(contentviews, "registry")
    view = contentview.HopguardView()
    contentview.register(view)
    contentview.refresh()
    contentview.unregister(view)


def test_chosen_where_there_is_nothing_else_to_show(addon: Hopguard) -> None:
    """With a finding, even before the query."""
    flow = judged(addon, (b"host", b"h"), CONNECTION)
    flow.request.query["a"] = "b"
    name, text = show(flow)
    assert name == "Hopguard"
    assert "ERROR connection-field-in-http2" in text
    assert "https://www.rfc-editor.org/rfc/rfc9113.html#section-8.2.2" in text
    assert "What to change: " in text


def test_without_a_finding_it_steps_back(addon: Hopguard) -> None:
    """The query is of more use."""
    flow = judged(addon, (b"host", b"h"))
    assert show(flow)[0] == "Hopguard"
    flow.request.query["a"] = "b"
    assert show(flow)[0] == "Query"


def test_never_chosen_where_there_is_content(addon: Hopguard) -> None:
    """It is one click away then."""
    flow = judged(addon, CONNECTION, content=b"x")
    assert show(flow)[0] == "Raw"
    assert show(flow, "Hopguard") == show(flow, "hopguard")
    assert "ERROR connection-field-in-http2" in show(flow, "Hopguard")[1]


def test_both_messages(addon: Hopguard) -> None:
    """Each has its own findings, and mentions those of the other."""
    flow = judged(addon, CONNECTION)
    flow.server_conn.alpn = None
    add_response(flow, (b"Keep-Alive", b"timeout=5"), (b"Content-Length", b"0"), version="HTTP/1.1")
    addon.responseheaders(flow)
    assert flow.response is not None
    flow.response.raw_content = b""
    request, response = show(flow)[1], show(flow, response=True)[1]
    assert "About the response: 1 error (keep-alive-without-connection-option)." in request
    assert "About the request: 1 error (connection-field-in-http2)." in response
    assert response.startswith("Response 200 on the server leg, HTTP/1.1: 1 error.")


def test_trailers_are_shown(addon: Hopguard) -> None:
    """With their classes."""
    flow = judged(addon)
    flow.request.trailers = http.Headers([(b"te", b"x")])
    assert "\nnot in trailers  te: x" in show(flow)[1]


def test_no_line_is_without_a_character(addon: Hopguard) -> None:
    """In mitmweb it would have no height."""
    assert "" not in show(judged(addon, CONNECTION))[1].split("\n")


def test_secret_values_are_not_shown() -> None:
    """As the option says, from then on."""
    addon = Hopguard()
    with taddons.context(Proxyserver(), addon) as context:
        flow = judged(addon, (b"authorization", b"secret"), (b"x-mine", b"private"))
        assert "secret" not in show(flow)[1]
        assert "private" in show(flow)[1]
        context.configure(addon, hopguard_redact=["x-mine"])
        assert "private" not in show(flow)[1]
        addon.done()


def test_hostile_values(addon: Hopguard) -> None:
    """What is shown is printable ASCII."""
    flow = judged(addon, (HOSTILE, HOSTILE), (b"connection", HOSTILE))
    name, text = show(flow)
    assert name == "Hopguard"
    assert all(line.isascii() and line.isprintable() for line in text.split("\n"))
    assert r"<script>\x1b[31m\xe2\x80\xae\xff\x0d\x0a" in text


RECORD = {"rule": "r", "severity": "error", "part": "request"}


@pytest.mark.parametrize(
    "metadata",
    [
        "text",
        7,
        {"a": 1},
        [None, 3, [], {}],
        [{"rule": 3}, {"rule": "x", "severity": "\x1b"}],
        [{**RECORD, "requirement": [1], "edits": 7, "line": "x", "field": [], "value": {}}],
        [{**RECORD, "message": "\x1b[31m\u202e\ud800<b>", "field": "a\nb"}] * 3,
        [{**RECORD, "line": number} for number in range(2000)],
        (RECORD,),
    ],
)
def test_whatever_a_saved_flow_holds(addon: Hopguard, metadata: Any) -> None:
    """It is shown as far as it can be, and what is left out is counted."""
    flow = judged(addon, (b"host", b"h"))
    flow.metadata["hopguard"] = metadata
    name, text = show(flow)
    assert name == "Hopguard"
    assert text.startswith("Request on the client leg, HTTP/2: ")
    assert "end-to-end       host: h" in text
    assert all(line.isascii() and line.isprintable() for line in text.split("\n"))
    readable = isinstance(metadata, tuple | list) and RECORD.items() <= (metadata[0] or {}).items()
    assert ("left out: " in text) == (not readable or len(metadata) == 2000)


def test_what_is_no_http_message(addon: Hopguard) -> None:
    """Is answered with a sentence."""
    view = contentviews.registry["hopguard"]
    flow = tflow.ttcpflow()
    shown = contentviews.prettify_message(flow.messages[0], flow, "hopguard")
    assert shown.text == contentview.NOT_HTTP
    assert view.render_priority(b"", Metadata(flow=flow)) < 0
    assert view.render_priority(b"", Metadata()) < 0
    assert view.prettify(b"", Metadata()) == contentview.NOT_HTTP


def test_a_bug_is_a_sentence(addon: Hopguard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow can still be looked at."""

    def fail(*_: object) -> str:
        raise RuntimeError("secret")

    monkeypatch.setattr(annotation, "annotate", fail)
    shown = show(judged(addon, CONNECTION))
    assert shown == ("Hopguard", "Hopguard cannot show this message: RuntimeError.")
