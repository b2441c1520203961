"""What happens with a finding: record, violation log, event log, mark, comment, table."""

import logging
import time
from dataclasses import replace
from pathlib import Path

from mitmproxy import ctx, http

from hopguard.lifecycle import Judged
from hopguard.mitm import flows, view
from hopguard.mitm.eventlog import EventLog
from hopguard.mitm.following import Latest
from hopguard.mitm.tally import Tally
from hopguard.mitm.verdict import Verdict
from hopguard.record import Action, Circumstances, Record, Redaction, make_record
from hopguard.reports.jsonlines import ViolationLog
from hopguard.reports.rotation import Rotation
from hopguard.rule import Finding

logger = logging.getLogger(__name__)


class Reporter:
    """Makes records of findings and brings them where people look."""

    def __init__(self) -> None:
        """Begin without a log."""
        self.redaction = Redaction()
        self._violations: ViolationLog | None = None
        self.verdict = Verdict()
        self._events = EventLog()
        self._tally = Tally()

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
        table = self._tally.table()
        logger.info("hopguard: %s", f"what was found\n{table}" if table else "nothing was found")
        self.verdict.pronounce()

    def report(self, flow: http.HTTPFlow, findings: list[Finding], action: Action) -> None:
        """Report findings about a message of `flow`, as far as they are new.

        After each event of a flow mitmproxy itself tells views that the flow is another.
        """
        records = [
            make_record(finding, circumstances(flow, finding, action), self.redaction)
            for finding in findings
        ]
        fresh = view.attach(flow, records)
        if not fresh:
            return
        if ctx.options.hopguard_mark:
            view.mark(flow)
        if ctx.options.hopguard_comment:
            view.comment(flow)
        self._tell(fresh)

    def report_connection(self, judged: list[Judged], latest: Latest | None) -> None:
        """Report findings about a connection, on the flow of its latest exchange if it exists."""
        flow = latest.flow if latest is not None else None
        if flow is not None:
            self.report(flow, [one.finding for one in judged], "flagged")
            return
        self._tell([make_record(*_without_flow(one, latest), self.redaction) for one in judged])

    def report_unseen(
        self, findings: list[Finding], *, value_known: bool, client: str, server: str | None
    ) -> None:
        """Report findings about a message that was refused before it became a flow.

        Only one of its field lines is known, not where it stood, and perhaps not its value.
        """
        where = Circumstances(time=time.time(), action="refused", client=client, server=server)
        records = [make_record(finding, where, self.redaction) for finding in findings]
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


def circumstances(flow: http.HTTPFlow, finding: Finding, action: Action) -> Circumstances:
    """Return where and when a finding about a message of `flow` was made."""
    answered = finding.part.startswith("response") and flow.response is not None
    peer = flow.client_conn if finding.leg == "client" else flow.server_conn
    return Circumstances(
        time=time.time(),
        action=action,
        method=flow.request.data.method,
        url=flows.url_of(flow),
        status=flow.response.status_code if answered and flow.response is not None else None,
        flow=flow.id,
        connection=peer.id,
        client=flows.client_address(flow),
        server=flows.server_address(flow),
    )


def _without_flow(judged: Judged, latest: Latest | None) -> tuple[Finding, Circumstances]:
    """Return where and when a finding about a connection was made whose flow is gone."""
    where = Circumstances(time=time.time(), flow=judged.flow, connection=judged.key.connection)
    if latest is not None:
        where = replace(where, method=latest.method, url=latest.url)
        where = replace(where, client=latest.client, server=latest.server)
    return judged.finding, where
