"""How far a scan has come, on a terminal."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from hopguard.extras import MissingExtraError
from hopguard.reports.logs import say
from hopguard.scanning.inputs import find_inputs
from hopguard.scanning.task import Batch


def with_progress(batches: Iterable[Batch], paths: Sequence[str]) -> Iterator[Batch]:
    """Give `batches`, and show on standard error how much of `paths` is done.

    Without the library that shows it, say so once.
    """
    try:
        from rich.progress import Progress  # noqa: F401
    except ImportError:
        say(str(MissingExtraError("showing progress", "scan")))
        return iter(batches)
    return _shown(batches, paths)


def _shown(batches: Iterable[Batch], paths: Sequence[str]) -> Iterator[Batch]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.fields[files]:,} files"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TextColumn("{task.fields[rate]:,.0f} flows/s"),
        TextColumn("{task.fields[findings]:,} findings"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    files = flows = findings = 0
    with progress:
        bar = progress.add_task("", total=None, files=0, rate=0.0, findings=0)

        def sum_up() -> None:
            with suppress(OSError, MissingExtraError):
                sizes = [found.size or 0 for found in find_inputs(paths)]
                progress.update(bar, total=sum(sizes))

        threading.Thread(target=sum_up, daemon=True).start()
        for batch in batches:
            files += batch.files
            flows += batch.exchanges
            findings += len(batch.records)
            elapsed = progress.tasks[0].elapsed or 1.0
            progress.update(
                bar, advance=batch.octets, files=files, findings=findings, rate=flows / elapsed
            )
            yield batch
