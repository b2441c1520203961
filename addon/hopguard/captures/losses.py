"""What captures have lost, and which rules cannot judge without it. Each fact stands here once."""

from collections import Counter
from collections.abc import Iterable

from hopguard.captures.capture import Loss
from hopguard.rules import load_rules

TRAILERS = Loss(
    "trailer sections are not kept",
    frozenset(
        {
            "connection-field-in-trailers/sent",
            "trailer-announcement-mismatch/never-sent",
            "trailer-announcement-mismatch/unannounced",
        }
    ),
)
INTERIM_RESPONSES = Loss(
    "interim responses are not kept",
    frozenset({"close-on-non-final-response/interim", "switching-protocols-before-continue"}),
)
OTHER_PROTOCOLS = Loss(
    "what is sent before and after a switch of protocols is not kept in order",
    frozenset({"data-before-protocol-switch", "http-after-protocol-switch"}),
)
CONNECTIONS = Loss(
    "which messages came over one connection, in which order, and how it ended is not told",
    frozenset(rule.id for rule in load_rules() if rule.kind == "connection"),
)
ROUTE = Loss(
    "whether a message went through a proxy is not told",
    frozenset({"proxy-authenticate-from-origin", "proxy-authorization-beyond-proxy"}),
)
PSEUDO_FIELDS = Loss(
    "pseudo-header fields and the settings of connections are not kept",
    frozenset(
        {
            "extended-connect-invalid/incomplete",
            "extended-connect-invalid/no-setting",
            "extended-connect-invalid/not-connect",
        }
    ),
)
OCTETS = Loss(
    "fields are text that a program has read and written again, not the octets of the message",
    frozenset(
        {
            "connection-field-illegal-octets",
            "connection-field-name-malformed/mangled",
            "connection-field-name-malformed/whitespace",
        }
    ),
)
LINES = Loss(
    "field lines of one name may have been joined",
    frozenset(
        {
            "connection-empty-list-member",
            "connection-empty-value/masking",
            "content-length-ambiguous/repeat-differs",
            "content-length-ambiguous/repeat-equal",
            "http2-settings-invalid/repeated",
            "te-value-invalid/syntax",
            "transfer-encoding-ambiguous/empty-member",
            "transfer-encoding-ambiguous/multiple-lines",
            "upgrade-syntax-invalid/empty-member",
            "websocket-accept-mismatch",
        }
    ),
)
FIELDS = Loss(
    "fields of the connection may have been left out, so that none counts as missing",
    frozenset(
        {
            "connection-option-unrecognised/unknown-option",
            "connection-option-without-effect/absent-field",
            "hop-by-hop-field-leaked",
            "hop-by-hop-field-unlisted",
            "http2-settings-invalid/missing",
            "http2-settings-invalid/orphan",
            "http2-settings-without-connection-option",
            "keep-alive-without-connection-option",
            "proxy-407-without-challenge",
            "request-timeout-without-close",
            "response-missing-close-echo",
            "switching-protocols-not-requested",
            "switching-protocols-without-upgrade-field",
            "te-without-connection-option",
            "transfer-coding-not-offered",
            "upgrade-required-without-upgrade-field",
            "upgrade-without-connection-option",
            "websocket-accept-mismatch",
            "websocket-handshake-incomplete",
        }
    ),
)
FRAMING = Loss(
    "Content-Length and Transfer-Encoding may be those of the stored body, not of the message",
    frozenset(
        {
            "close-delimited-response",
            "connection-option-without-effect/absent-field",
            "content-length-ambiguous",
            "framing-field-in-bodiless-response",
            "hop-by-hop-field-unlisted",
            "trailer-announcement-mismatch/impossible",
            "transfer-coding-not-offered",
            "transfer-encoding-ambiguous",
            "transfer-encoding-chunked-misplaced",
            "transfer-encoding-syntax-invalid",
            "transfer-encoding-with-content-length",
            "transfer-encoding-with-http10",
        }
    ),
)
VERSIONS = Loss(
    "the version may be the one on the other side of a proxy that made the file",
    frozenset(
        {
            "connection-field-in-http2",
            "connection-field-in-http3",
            "http2-settings-invalid/in-http2",
            "switching-protocols-in-http2-or-http3",
            "te-not-trailers-in-http2-or-http3",
        }
    ),
)
AS_HTTP11 = Loss(
    "messages of HTTP/2 and HTTP/3 may be stored as if they were of HTTP/1.1",
    frozenset({"forbidden-header-from-browser/script-request"}),
)
HTTP2_REQUESTS = Loss(
    "a request of HTTP/2 or HTTP/3 is shown as the program made it, not as it was sent, "
    "and is not judged"
)
PROVISIONAL_REQUESTS = Loss(
    "a request without a Host field is not shown as it was sent, and is not judged",
    frozenset(
        {
            "response-missing-close-echo",
            "switching-protocols-not-requested",
            "transfer-coding-not-offered",
            "upgrade-offer-not-taken",
            "websocket-accept-mismatch",
        }
    ),
)
UNKNOWN_VERSIONS = Loss("a message whose version of HTTP is not told is not judged")
NOT_SENT = Loss("what came from a cache or a service worker was not sent, and is not judged")


def rules_without(losses: Iterable[Loss]) -> frozenset[str]:
    """Return the ids of the rules, and of their variants, that cannot judge after `losses`."""
    return frozenset[str]().union(*(loss.rules for loss in losses))


class Tally:
    """What is lost of the exchanges of one capture."""

    def __init__(self, of_all: Iterable[Loss]) -> None:
        """Begin with what is lost of each."""
        self._of_all = tuple(of_all)
        self._exchanges = 0
        self._times: Counter[Loss] = Counter()

    def add(self, lost: Iterable[Loss]) -> frozenset[str]:
        """Count one exchange, of which `lost` is lost besides; return what cannot judge it."""
        besides = tuple(dict.fromkeys(lost))
        self._exchanges += 1
        self._times.update(besides)
        return rules_without((*self._of_all, *besides))

    @property
    def lost(self) -> tuple[Loss, ...]:
        """Everything that is lost; with rules, where it is lost of every exchange."""
        return self._of_all + tuple(
            loss if times == self._exchanges else Loss(loss.what)
            for loss, times in self._times.items()
        )
