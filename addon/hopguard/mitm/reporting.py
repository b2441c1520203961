"""What happens with a finding: record, violation log, event log, mark, comment, table."""

import logging
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mitmproxy import ctx, hooks, http

from hopguard.lifecycle import Judged
from hopguard.mitm import flows, view
from hopguard.mitm.enforcement import Enforcement, Handled
from hopguard.mitm.eventlog import EventLog
from hopguard.mitm.following import Latest
from hopguard.mitm.tally import Tally
from hopguard.mitm.verdict import Verdict
from hopguard.record import Action, Circumstances, Record, Redaction, make_record
from hopguard.reports.jsonlines import ViolationLog
from hopguard.reports.rotation import Rotation
from hopguard.rule import Finding

if TYPE_CHECKING:
    from hopguard.mitm.web.mounting import WebPage

logger = logging.getLogger(__name__)


class Reporter:
    """Makes records of findings and brings them where people look."""

    def __init__(self, enforcement: Enforcement | None = None) -> None:
        """Begin without a log; `enforcement` says what is silenced, and which line decided."""
        self._enforcement = enforcement or Enforcement()
        self.redaction = Redaction()
        self.marks = self.comments = True
        """Whether flows get a marker, and a comment."""
        self._violations: ViolationLog | None = None
        self.verdict = Verdict()
        self._events = EventLog()
        self._tally = Tally()
        self.page: WebPage | None = None
        """Of mitmweb, where that is."""

    def start(self) -> None:
        """Prepare mitmproxy's log."""
        self._events.start()

    def write_to(self, path: Path | None, rotation: Rotation | None = None) -> None:
        """Append records to the file at `path` from now on; None is to no file.

        With `rotation` that file is moved out of the way when it is full.

        Raises:
            OSError: the file cannot be opened. The one before stays in use.
        """
        opened = ViolationLog(path, rotation) if path is not None else None
        if self._violations is not None:
            self._violations.close()
        self._violations = opened

    def close(self) -> None:
        """End the log, and say what was found."""
        self.write_to(None)
        self._events.stop()
        if self.page is not None:
            self.page.close()
        table = self._tally.table()
        logger.info("hopguard: %s", f"what was found\n{table}" if table else "nothing was found")
        self.verdict.pronounce()

    def report(self, flow: http.HTTPFlow, findings: Sequence[Finding], action: Action) -> None:
        """Report findings about a message of `flow`, as far as they are new and not off.

        `action` is all that can be done, or has been done already, whatever the policy says.
        """
        self.report_handled(flow, self._enforcement.observe(flow, findings, action))

    def report_handled(self, flow: http.HTTPFlow, handled: Iterable[Handled]) -> None:
        """Report findings about a message of `flow` with what is done about each.

        After each event of a flow mitmproxy itself tells views that the flow is another.
        """
        records = self.records(flow, handled)
        fresh = view.attach(flow, records)
        if not fresh:
            return
        if self.marks:
            view.mark(flow)
        if self.comments:
            view.comment(flow)
        self._tell(fresh)

    def records(self, flow: http.HTTPFlow, handled: Iterable[Handled]) -> list[Record]:
        """Make the records of findings about a message of `flow`."""
        return [
            make_record(one.finding, circumstances(flow, one), self.redaction) for one in handled
        ]

    def report_connection(
        self, judged: Iterable[tuple[Judged, Handled]], latest: Latest | None
    ) -> None:
        """Report findings about a connection with what is done about each.

        That is on the flow of its latest exchange, if it exists.
        """
        flow = latest.flow if latest is not None else None
        if flow is not None:
            self.report_handled(flow, [handled for _, handled in judged])
            ctx.master.addons.trigger(hooks.UpdateHook([flow]))  # the event may be no flow's
            return
        records = [
            make_record(handled.finding, _without_flow(one, handled, latest), self.redaction)
            for one, handled in judged
        ]
        self._tell(records)

    def report_unseen(
        self, findings: Sequence[Finding], *, value_known: bool, client: str, server: str | None
    ) -> None:
        """Report findings about a message that was refused before it became a flow.

        Only one of its field lines is known, not where it stood, and perhaps not its value.
        """
        where = Circumstances(time=time.time(), client=client, server=server)
        records = [
            make_record(
                one.finding, where._replace(action=one.action, policy=one.policy), self.redaction
            )
            for one in self._enforcement.observe(None, findings, "refused")
        ]
        for record in records:
            record["line"] = None
            record["value"] = record["value"] if value_known else None
        self._tell(records)

    def _tell(self, records: list[Record]) -> None:
        if self._violations is not None:
            self._violations.write(records)
        for record in records:
            self._tally.add(record)
            self.verdict.add(record)
            self._events.tell(record)
            if self.page is not None:
                self.page.add(record)


def circumstances(flow: http.HTTPFlow, handled: Handled) -> Circumstances:
    """Return where and when a finding about a message of `flow` was made."""
    finding = handled.finding
    answered = finding.part.startswith("response") and flow.response is not None
    peer = flow.client_conn if finding.leg == "client" else flow.server_conn
    status = flow.response.status_code if answered and flow.response is not None else None
    return Circumstances(
        time=time.time(),
        action=handled.action,
        edits=handled.edits,
        policy=handled.policy,
        method=flow.request.data.method,
        url=flows.url_of(flow),
        status=status,
        flow=flow.id,
        connection=peer.id,
        client=flows.client_address(flow),
        server=flows.server_address(flow),
    )


def _without_flow(judged: Judged, handled: Handled, latest: Latest | None) -> Circumstances:
    """Return where and when a finding about a connection was made whose flow is gone."""
    where = Circumstances(
        time=time.time(),
        action=handled.action,
        edits=handled.edits,
        policy=handled.policy,
        flow=judged.flow,
        connection=judged.key.connection,
    )
    told = latest.told if latest is not None else None
    if told is not None:
        where = where._replace(method=told.method, url=told.url)
        where = where._replace(client=told.client, server=told.server)
    return where
