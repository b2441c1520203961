"""What exporters and crawlers do to a message is no finding: tried on the examples of the rules."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hopguard.captures.capture import Captured
from hopguard.fields import CONNECTION_MANAGEMENT
from hopguard.message import HTTP1, Request, Response, Version
from hopguard.rules import load_rules
from hopguard.transcript import parse
from tests.captures.archives import entry, found_in, har, read_har, read_warc, record, software

Lines = list[tuple[bytes, bytes]]
Mangling = Callable[[Lines], Lines]

EXAMPLES = [
    pytest.param(text, id=f"{rule.id}-{number}")
    for rule in load_rules()
    for number, text in enumerate(
        [*(text for texts in rule.violating.values() for text in texts), *rule.conforming]
    )
]


def exchange_of(text: str) -> tuple[Request, Response | None]:
    """Make an exchange of an example; a half that it lacks is one that nothing is wrong with."""
    transcript = parse(text)
    requests = [message for message in transcript.messages if isinstance(message, Request)]
    responses = [message for message in transcript.messages if isinstance(message, Response)]
    version = transcript.messages[0].version
    whole = Request(version=version, fields=((b"host", b"a"),), leg="client", method=b"GET")
    return (requests or [whole])[0], responses[-1] if responses else None


def without(*names: bytes) -> Mangling:
    return lambda lines: [line for line in lines if line[0].lower() not in names]


def joined(lines: Lines) -> Lines:
    values: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        values.setdefault(name.lower(), []).append(value.replace(b"\r\n", b""))
    return sorted((name, b", ".join(parts)) for name, parts in values.items())


def with_length_of_body(lines: Lines) -> Lines:
    return [*without(b"content-length", b"transfer-encoding")(lines), (b"Content-Length", b"7")]


def with_length_besides(lines: Lines) -> Lines:
    return [*lines, (b"Content-Length", b"-1")]


IN_SOME_VERSIONS = {"connection-field-name-malformed", "trailer-announcement-mismatch"}
"""Rules that overlook in some versions what is a fault in all."""

LOSSES = [
    *(without(name) for name in sorted(CONNECTION_MANAGEMENT)),
    without(*CONNECTION_MANAGEMENT),
    joined,
]
REWRITINGS = [*LOSSES, with_length_of_body, with_length_besides]


def shown(
    request: Request, response: Response | None, mangle: Mangling, creator: str
) -> list[Captured]:
    def text(lines: Lines) -> list[tuple[str, str]]:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines]

    made = entry(
        *text(mangle(list(response.fields)) if response else []),
        status=response.status if response else 0,
        asking=[*text(mangle(list(request.fields))), ("Host", "a")],
        version=request.version,
        method=request.method.decode(),
        url="https://a/" if request.tls else "http://a/",
    )
    if response:
        made["response"]["httpVersion"] = response.version
    return read_har(har(made, creator=creator))


def stored(request: Request, response: Response | None, mangle: Mangling) -> list[Captured]:
    def octets(line: bytes, lines: Lines) -> bytes:
        return b"\r\n".join([line, *(name + b": " + value for name, value in lines), b"", b""])

    uri = "https://a/" if request.tls else "http://a/"
    start = b" ".join([request.method, request.target, request.version.encode()])
    records = record("request", octets(start, mangle(list(request.fields))), warc_target_uri=uri)
    if response:
        start = f"{response.version} {response.status} x".encode()
        block = octets(start, mangle(list(response.fields)))
        records += record("response", block, warc_target_uri=uri)
    return read_warc(software("a crawler") + records)


def rules(captured: list[Captured]) -> set[str]:
    return {name.partition("/")[0] for name in found_in(captured)}


@pytest.mark.parametrize("text", EXAMPLES)
def test_mangling_makes_no_finding(text: str) -> None:
    request, response = exchange_of(text)
    truth = rules([Captured(offset=0, request=request, response=response, asked=request)])
    if "connection-field-illegal-octets" in truth:
        return  # other octets in place of those at fault may be at fault in another way
    if "h2c-upgrade-smuggling-risk" in truth:  # without the signs of a risk, it is obsolete still
        truth.add("upgrade-token-obsolete")
    for mangle in LOSSES:
        assert rules(shown(request, response, mangle, "Some program")) <= truth
    assert rules(shown(request, response, joined, "WebInspector")) <= truth
    told: Version
    for told in ("HTTP/1.1", "HTTP/2", "HTTP/3"):  # where a proxy has this one on its other leg
        asked, answer = replace(request, version=told), response and replace(response, version=told)
        if not truth and (told != "HTTP/1.1") == (request.version in HTTP1):
            assert rules(shown(asked, answer, list, "Some proxy")) <= IN_SOME_VERSIONS
        if not truth and told == "HTTP/1.1" and request.version not in HTTP1:
            assert rules(stored(asked, answer, list)) <= IN_SOME_VERSIONS
    if request.version.startswith("HTTP/1"):
        for mangle in REWRITINGS:
            assert rules(stored(request, response, mangle)) <= truth
