"""What all handlers of the page have in common, on top of mitmweb's own."""

import json
from typing import Any

import tornado.web
from mitmproxy.tools.web import app

from hopguard.mitm.web.sources import Sources

OWN = ("same-origin", "none")
"""Values of Sec-Fetch-Site: our page asks, or a person who has typed the address."""


class Handler(app.RequestHandler):
    """Answers nobody but our own page, and programs that know the password."""

    def initialize(self, sources: Sources) -> None:
        """Take what there is to show."""
        self.sources = sources

    def prepare(self) -> None:
        """Refuse what a page of another origin asks for.

        Cookies that are for the same site only go along from any port of this machine.
        """
        if self.request.headers.get("Sec-Fetch-Site", "none") not in OWN:
            raise tornado.web.HTTPError(403)

    def set_default_headers(self) -> None:
        """Set mitmweb's headers, and that nothing is kept or told on."""
        super().set_default_headers()  # type: ignore[no-untyped-call]
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")

    def send_json(self, data: Any) -> None:
        """Answer with `data`."""
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        # Tornado would compress it, in the proxy's own thread; what for, on one machine?
        self.set_header("Content-Encoding", "identity")
        self.write(json.dumps(data, separators=(",", ":")))

    def refuse(self, status: int, why: str) -> None:
        """Answer with a sentence."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.write(why)
