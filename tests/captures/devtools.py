"""A HAR file made by Chromium: its network events, put together as its DevTools do."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SWITCHES = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--ignore-certificate-errors", "--no-proxy-server"),
]

DONE = "done"
"""The title of a page that has loaded what it wants to."""


class DevTools:
    """The other end of Chromium's debugging pipe: JSON, each message ended by NUL."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._rest = b""
        self._calls = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Call a method, wait for its result, and keep the events that come before it."""
        self._calls += 1
        message: dict[str, Any] = {"id": self._calls, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._calls:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def wait_for(self, method: str) -> None:
        """Keep events until there is one of this kind."""
        while not any(event["method"] == method for event in self.events):
            self._receive()

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            octets = os.read(self._reading, 1 << 16)
            assert octets, "Chromium has ended"
            self._rest += octets
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[DevTools]:
    """Start a Chromium; end it afterwards."""
    its_input, our_output = os.pipe()
    our_input, its_output = os.pipe()
    redirected = f'exec "$@" 3<&{its_input} 4>&{its_output}'
    command = [program, *SWITCHES, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        ["bash", "-c", redirected, "bash", *command],
        pass_fds=(its_input, its_output),
        stderr=subprocess.DEVNULL,
    )
    os.close(its_input)
    os.close(its_output)
    try:
        tools = DevTools(our_input, our_output)
        yield tools
        tools.call("Browser.close")
    finally:
        os.close(our_output)
        os.close(our_input)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def har_of_page(tools: DevTools, url: str) -> dict[str, Any]:
    """Load a page, wait until its title is `DONE`, and make a HAR of it."""
    target = tools.call("Target.createTarget", url="about:blank")["targetId"]
    session = tools.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    tools.call("Network.enable", session)
    tools.call("Page.enable", session)
    tools.call("Page.navigate", session, url=url)
    tools.wait_for("Page.loadEventFired")
    wait = (
        f"new Promise(r => {{let f = () => document.title == '{DONE}' ? r() : setTimeout(f); f()}})"
    )
    tools.call("Runtime.evaluate", session, expression=wait, awaitPromise=True)
    return {"log": {"creator": {"name": "WebInspector"}, "entries": _entries(tools.events)}}


def _entries(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put together what belongs to one request."""
    requests: dict[str, dict[str, Any]] = {}
    for event in events:
        parameters = event["params"]
        if event["method"].startswith("Network."):
            known = requests.setdefault(parameters.get("requestId", ""), {})
            known.setdefault(event["method"].removeprefix("Network."), parameters)
    return [_entry(known) for known in requests.values() if "responseReceived" in known]


def _entry(known: dict[str, Any]) -> dict[str, Any]:
    request, response = known["requestWillBeSent"], known["responseReceived"]["response"]
    sent = known.get("requestWillBeSentExtraInfo", request["request"])
    received = known.get("responseReceivedExtraInfo", response)
    return {
        "startedDateTime": "2026-01-02T03:04:05Z",
        "request": {
            "method": request["request"]["method"],
            "url": request["request"]["url"],
            "httpVersion": response["protocol"],
            "headers": _headers(sent["headers"]),
        },
        "response": {
            "status": received.get("statusCode", response["status"]),
            "httpVersion": response["protocol"],
            "headers": _headers(received["headers"]),
            "_transferSize": known.get("loadingFinished", {}).get("encodedDataLength", -1),
        },
        "serverIPAddress": response["remoteIPAddress"],
    }


def _headers(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
