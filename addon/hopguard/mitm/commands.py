"""The commands that the addon adds to mitmproxy's: for its console, key bindings and scripts."""

import logging
from collections.abc import Callable, Sequence

import mitmproxy.types
from mitmproxy import command, ctx, exceptions, hooks, http
from mitmproxy import flow as mitmflow
from mitmproxy.log import ALERT

from hopguard.catalogue.lookup import UnknownNameError
from hopguard.mitm import view
from hopguard.mitm.contentview import refresh, show
from hopguard.policy import Policy
from hopguard.record import Record, Redaction
from hopguard.rules import load_rules

logger = logging.getLogger(__name__)

WIDTH = 60
"""Columns of running text: the console shows it in a frame that has four fifths of its width."""


def _command[F: Callable[..., object]](name: str) -> Callable[[F], F]:
    """Return mitmproxy's decorator for commands, which has no types."""
    decorator: Callable[[F], F] = command.command(name)
    return decorator


def _argument[F: Callable[..., object]](name: str, kind: object) -> Callable[[F], F]:
    """Return mitmproxy's decorator for a type that is no type to Python, to be completed."""
    decorator: Callable[[F], F] = command.argument(name, kind)
    return decorator


class Commands:
    """The commands."""

    def __init__(
        self,
        judge: Callable[[http.HTTPFlow], None],
        mend: Callable[[http.HTTPFlow], int],
        redaction: Callable[[], Redaction],
        policy: Callable[[], Policy],
    ) -> None:
        """Let `judge` judge a flow again, and `mend` repair it and say how many findings are gone.

        `redaction` says what is not shown at the moment, `policy` what is done.
        """
        self._judge = judge
        self._mend = mend
        self._policy = policy
        self._redaction = redaction

    @_command("hopguard.check")
    def check(self, flows: Sequence[mitmflow.Flow]) -> None:
        """Judge flows again, as they are now and with the profiles that are on now.

        Mark, comment and metadata follow; the violation log does not.
        """
        from hopguard.reports.words import number  # here and below: for people alone

        chosen = _of_http("hopguard.check", flows)
        for flow in chosen:
            self._judge(flow)
        ctx.master.addons.trigger(hooks.UpdateHook(chosen))
        refresh()
        records = [view.read(flow)[0] for flow in chosen]
        found = number(sum(map(len, records)), "finding")
        some, every = sum(map(bool, records)), number(len(chosen), "flow")
        logger.log(ALERT, "hopguard: %s in %s of %s", found, some, every)

    @_command("hopguard.fix")
    def fix(self, flows: Sequence[mitmflow.Flow]) -> None:
        """Repair flows, as far as there are safe repairs; `flow.revert` undoes it.

        Mark, comment and metadata follow; the violation log does not.
        """
        from hopguard.reports.words import number

        chosen = _of_http("hopguard.fix", flows)
        fixed = [self._mend(flow) for flow in chosen]
        ctx.master.addons.trigger(hooks.UpdateHook(chosen))
        refresh()
        some, every = sum(map(bool, fixed)), number(len(chosen), "flow")
        logger.log(
            ALERT, "hopguard: %s fixed in %s of %s", number(sum(fixed), "finding"), some, every
        )

    @_command("hopguard.findings")
    def findings(self, flows: Sequence[mitmflow.Flow]) -> Sequence[str]:
        """List what was found on flows, one finding a line."""
        from hopguard.reports.words import number

        chosen = _of_http("hopguard.findings", flows)
        lines = [_line(record) for flow in chosen for record in view.read(flow)[0]]
        return lines or [f"Nothing was found in {number(len(chosen), 'flow')}."]

    @_command("hopguard.show")
    def show(self, flow: mitmflow.Flow) -> Sequence[str]:
        """Show request and response as the content view does, also where there is no content."""
        (chosen,) = _of_http("hopguard.show", [flow])
        messages = [one for one in (chosen.request, chosen.response) if one is not None]
        texts = [show(chosen, one, self._redaction(), WIDTH) for one in messages]
        return "\n\n\n".join(texts).splitlines()

    @_command("hopguard.explain")
    @_argument("rule", mitmproxy.types.Choice("hopguard.rules"))
    def explain(self, rule: str) -> Sequence[str]:
        """Tell what a rule is about, why it matters, and what to change: id, or id/variant."""
        from hopguard.catalogue.explanation import explain  # large, and for this alone

        try:
            return explain(rule, load_rules(), width=WIDTH, policy=self._policy()).splitlines()
        except UnknownNameError as error:
            text = str(error).replace("`hopguard rules`", "`hopguard.rules`")
            raise exceptions.CommandError(f"hopguard.explain: {text}") from None

    @_command("hopguard.rules")
    def rules(self) -> Sequence[str]:
        """List the rules by their ids."""
        return _Names(rule.id for rule in load_rules())


class _Names(list[str]):
    """Names to complete what is typed; others are accepted as well.

    mitmproxy would answer a wrong name with "Invalid choice." and nothing else; it is the command
    that can say what is meant. And some know more names than those that are listed.
    """

    def __contains__(self, name: object) -> bool:
        return True


def _of_http(name: str, flows: Sequence[mitmflow.Flow]) -> list[http.HTTPFlow]:
    """Return the HTTP flows.

    Raises:
        CommandError: there are none.
    """
    chosen = [flow for flow in flows if isinstance(flow, http.HTTPFlow)]
    if not chosen:
        kinds = ", ".join(sorted({flow.type for flow in flows}))
        what = f"no HTTP flow is among those selected ({kinds})" if kinds else "no flow is selected"
        raise exceptions.CommandError(f"{name}: {what}")
    return chosen


def _line(record: Record) -> str:
    from hopguard.reports.words import rule_name, sentence

    return f"{record['severity']} {rule_name(record)}: {sentence(record)}"
