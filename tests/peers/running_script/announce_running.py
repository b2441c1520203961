"""Loaded into mitmproxy after all other scripts: prints a line when mitmproxy is ready.

mitmproxy says "listening" before its addons' `running` hook, so that line comes too early. This
file has a folder to itself, because mitmproxy keeps a script's folder on its module search path.
"""


def running() -> None:
    """Say that every other script's hook has run."""
    print("peers: mitmproxy is running", flush=True)
