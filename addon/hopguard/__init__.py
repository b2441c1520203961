"""Sees, explains and records violations of HTTP's connection rules.

>>> from hopguard import Checker, Request
>>> fields = ((b"Host", b"www.example"), (b"Connection", b"close, , TE"), (b"TE", b"trailers"))
>>> request = Request(version="HTTP/1.1", method=b"GET", fields=fields, leg="client")
>>> for finding in Checker().check_message(request):
...     print(finding.severity, finding.rule, finding.requirement, sep="; ")
error; connection-empty-list-member; RFC 9110, section 5.6.1.1

The public names:

- `Checker`: judges messages by the rules of the profiles that are on;
- `Request` and `Response`: messages as received, with `FieldLine` for one line of them;
- `Finding`: what the checker found, with its `Severity` and `Requirement`;
- `__version__`: the version of this package.
"""

from hopguard.checker import Checker
from hopguard.message import FieldLine, Request, Response
from hopguard.rule import Finding, Requirement, Severity

__version__ = "0.1.0"

__all__ = [
    "Checker",
    "FieldLine",
    "Finding",
    "Request",
    "Requirement",
    "Response",
    "Severity",
    "__version__",
]
