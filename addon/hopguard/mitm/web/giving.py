"""Downloads of what the page shows."""

from tempfile import TemporaryFile
from typing import cast

from hopguard.extras import MissingExtraError
from hopguard.mitm.web import downloading
from hopguard.mitm.web.handling import Handler

_PIECE = 64 * 1024
"""Octets of a file that are sent at once."""


class DownloadHandler(Handler):
    """Reports on findings."""

    async def get(self) -> None:
        """Give a report on all findings that are kept."""
        await self._give(None)

    async def post(self) -> None:
        """Give a report on the findings whose numbers are given."""
        if self.get_argument("run", "") != self.sources.store.run:
            self.refuse(409, "hopguard has been restarted since; load the page again.")
            return
        try:
            ranges = downloading.parse_numbers(self.get_argument("findings", ""))
        except ValueError as error:
            self.refuse(400, str(error))
            return
        await self._give(ranges)

    async def _give(self, ranges: list[range] | None) -> None:
        form = self.get_argument("format", "jsonl")
        if not downloading.is_download(form):
            self.refuse(400, f"format: give one of {', '.join(downloading.TYPES)}")
            return
        records = await downloading.choose(self.sources.store, ranges)
        with TemporaryFile() as out:
            try:
                await downloading.write_report(cast("downloading.Download", form), records, out)
            except (MissingExtraError, RuntimeError) as error:
                self.refuse(501 if isinstance(error, MissingExtraError) else 500, str(error))
                return
            out.seek(0)
            self.set_header("Content-Type", f"{downloading.TYPES[form]}; charset=UTF-8")
            self.set_header("Content-Disposition", f'attachment; filename="hopguard.{form}"')
            self.set_header("X-Content-Type-Options", "nosniff")
            while piece := out.read(_PIECE):
                self.write(piece)
                await self.flush()
