"""The files of the page: our own, and the library that draws, from a package that is installed."""

import asyncio
import os
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import hopguard
from hopguard.extras import MissingExtraError

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
"""Media types by the endings of the files' names."""

_FOLDER = files("hopguard.mitm.web").joinpath("static")

NAMES = frozenset(item.name for item in _FOLDER.iterdir() if item.name.rpartition(".")[2] in TYPES)
"""Of our files; nothing else is given out, whatever is asked for."""

_BUNDLE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle(vl_version='6.4'))"
"""The edition is the one of the reports' pictures."""


def read(name: str) -> str:
    """Return the text of one of our files."""
    return _FOLDER.joinpath(name).read_text("utf-8")


def missing(what: str, *modules: str) -> MissingExtraError | None:
    """Say what to install so that `what`, which needs `modules`, can be done; None if it can."""
    frozen = getattr(sys, "frozen", False)  # a standalone binary: it is no Python for others
    if not frozen and all(find_spec(module) is not None for module in modules):
        return None
    return MissingExtraError(what, "report")


def charts_missing() -> MissingExtraError | None:
    """Say what to install to have charts; None if it is there."""
    return missing("drawing charts", "vl_convert")


class Charts:
    """The library that draws charts in browsers, Vega: taken out of its package when first asked.

    That needs a JavaScript engine and a second, so another process does it.
    """

    def __init__(self) -> None:
        self._bundle: asyncio.Task[bytes] | None = None

    async def script(self) -> bytes:
        """Return it as one script, which sets `window.vegaEmbed`.

        Raises:
            MissingExtraError: it is not installed.
            RuntimeError: it could not be made; the text says why. The next call tries again.
        """
        refusal = charts_missing()
        if refusal is not None:
            raise refusal
        if self._bundle is None:
            self._bundle = asyncio.create_task(_make_bundle())
        try:
            return await asyncio.shield(self._bundle)
        except RuntimeError:
            self._bundle = None
            raise


async def _make_bundle() -> bytes:
    with TemporaryFile() as out:
        await run_python("-c", _BUNDLE, out=out)
        out.seek(0)
        return out.read()


async def run_python(*arguments: str, out: IO[bytes], given: IO[bytes] | None = None) -> None:
    """Run this Python with `arguments`; `given` is its input. It can import this package.

    Raises:
        RuntimeError: it failed; the text says why.
    """
    ours = str(Path(hopguard.__file__).parents[1])
    path = os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", *arguments),
        stdin=given if given is not None else asyncio.subprocess.DEVNULL,
        stdout=out,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        _, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit status {process.returncode}")
