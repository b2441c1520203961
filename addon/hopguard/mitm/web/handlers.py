"""What the page asks mitmweb for. mitmweb's own handlers see to passwords, cookies and XSRF."""

import tornado.web
from mitmproxy import http
from mitmproxy.tools.web import app

from hopguard.catalogue.document import blocks_as_data
from hopguard.catalogue.explanation import document
from hopguard.catalogue.lookup import UnknownNameError, find_rule
from hopguard.extras import MissingExtraError
from hopguard.mitm.web import assets, lanes, rows
from hopguard.mitm.web.giving import DownloadHandler
from hopguard.mitm.web.handling import Handler
from hopguard.mitm.web.sources import Sources
from hopguard.rules import load_rules


class PageHandler(Handler):
    """The page itself; without password, mitmweb's form to log in."""

    def prepare(self) -> None:
        """Let links on other pages lead here."""
        if self.request.method != "GET":
            super().prepare()

    def auth_fail(self, invalid_password: bool) -> None:
        """Ask for the password."""
        self.render("login.html", invalid_password=invalid_password)

    def get(self, slash: str = "") -> None:
        """Show the page, or send to where its relative links are right."""
        if slash:
            self.redirect("../hopguard")
            return
        form = self.xsrf_form_html()
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.write(assets.read("page.html").replace("<!-- xsrf -->", form))

    def post(self, slash: str = "") -> None:
        """Log in."""
        self.redirect("../hopguard" if slash else "hopguard", status=303)


class StaticHandler(Handler):
    """Our own files."""

    def get(self, name: str) -> None:
        """Give one."""
        if name not in assets.NAMES:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", f"{assets.TYPES[name.rpartition('.')[2]]}; charset=UTF-8")
        self.write(assets.read(name))


class ChartsHandler(Handler):
    """The library that draws charts."""

    async def get(self) -> None:
        """Give it, or say why it is not there."""
        try:
            script = await self.sources.charts.script()
        except (MissingExtraError, RuntimeError) as error:
            self.refuse(501 if isinstance(error, MissingExtraError) else 500, str(error))
            return
        self.set_header("Content-Type", "text/javascript; charset=UTF-8")
        self.set_header("Content-Encoding", "identity")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.write(script)


class NewsHandler(Handler):
    """Findings after a number, with the totals."""

    def get(self) -> None:
        """Give as many as fit."""
        after = self.get_argument("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 16):
            self.refuse(400, "after: give the number of a finding")
            return
        missing = assets.charts_missing()
        news = rows.news(self.sources.store, int(after))
        charts = str(missing) if missing is not None else None
        self.send_json({**news, "columns": rows.COLUMNS, "charts_missing": charts})


class FindingHandler(Handler):
    """One finding, with all that its record says."""

    def get(self, number: str) -> None:
        """Give it."""
        record = self.sources.store.get(int(number))
        if record is None:
            self.refuse(404, "This finding is not kept any more.")
            return
        self.send_json(record)


class RuleHandler(Handler):
    """What a rule is about."""

    def get(self, name: str) -> None:
        """Give its explanation in blocks; `name` is id or id/variant."""
        try:
            rule, variant = find_rule(name, load_rules())
        except UnknownNameError as error:
            self.refuse(404, str(error))
            return
        self.send_json(blocks_as_data(document(rule, variant, limit=None)))


class LanesHandler(Handler):
    """The connections of a flow."""

    def get(self, flow_id: str) -> None:
        """Give them as swim lanes."""
        flow = self.view.get_by_id(flow_id)
        if not isinstance(flow, http.HTTPFlow):
            self.refuse(404, "mitmweb does not hold this flow any more.")
            return
        self.send_json(lanes.of_flow(flow, self.view, self.sources))


class LiveHandler(app.WebSocketEventBroadcaster):
    """Tells the page that there is news. Tornado refuses sockets of other origins."""

    def initialize(self, sources: Sources) -> None:
        """Join those who listen."""
        self.sources = sources
        self.connections = sources.listeners  # type: ignore[misc]  # not the class's

    def on_message(self, message: str | bytes) -> None:
        """Take nothing: the page only listens."""


HANDLERS = [
    (r"/hopguard(/?)", PageHandler),
    (r"/hopguard/static/([a-z.-]+)", StaticHandler),
    (r"/hopguard/charts\.js", ChartsHandler),
    (r"/hopguard/data", NewsHandler),
    (r"/hopguard/findings/([0-9]{1,15})", FindingHandler),
    (r"/hopguard/rules/([a-z0-9/-]+)", RuleHandler),
    (r"/hopguard/flows/([0-9a-f-]+)/connections", LanesHandler),
    (r"/hopguard/download", DownloadHandler),
    (r"/hopguard/live", LiveHandler),
]
"""Paths of mitmweb, and what answers there."""
