"""Real servers with a short idle timeout, each told in its own way."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.site import find, need
from tests.peers import Process
from tests.peers.mitm import free_ports

IDLE = 2
"""Seconds that most of them are told."""

NGINX = """
{user} daemon off; master_process on; worker_processes 1; pid {folder}/pid; error_log stderr notice;
events {{ worker_connections 64; }}
http {{
  access_log off; default_type text/plain; keepalive_timeout {idle}s {idle}s;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
  uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog /dev/stderr
LogLevel notice
DocumentRoot {folder}
StartServers 1
{user}
KeepAlive On
KeepAliveTimeout {idle}
"""
NODE = """
const server = require("http").createServer((request, response) => response.end("ok"));
server.keepAliveTimeout = {idle} * 1000;
server.listen({port}, "127.0.0.1", () => console.log("listening"));
"""
WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
"""
ASGI = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    fields = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"ok"})
"""

AS_ROOT = os.geteuid() == 0


def nginx(folder: Path, port: int, idle: int) -> tuple[list[str], str]:
    """Prepare nginx; return its command, and the line that says that it is ready."""
    config = folder / "nginx.conf"
    user = "user root;" if AS_ROOT else ""
    config.write_text(NGINX.format(user=user, folder=folder, idle=idle, port=port))
    return [need("nginx"), "-c", str(config), "-p", str(folder)], "start worker process"


def apache(folder: Path, port: int, idle: int) -> tuple[list[str], str]:
    """Prepare Apache httpd."""
    config = folder / "apache.conf"
    user = "User www-data\nGroup www-data" if AS_ROOT else ""
    config.write_text(APACHE.format(user=user, folder=folder, idle=idle, port=port))
    return [need("apache2"), "-f", str(config), "-D", "FOREGROUND"], "resuming normal operations"


def node(folder: Path, port: int, idle: int) -> tuple[list[str], str]:
    """Prepare a server of Node's http."""
    script = folder / "server.js"
    script.write_text(NODE.format(idle=idle, port=port))
    return [need("node"), str(script)], "listening"


def gunicorn(folder: Path, port: int, idle: int) -> tuple[list[str], str]:
    """Prepare gunicorn; only its threaded workers keep connections."""
    (folder / "wsgi_app.py").write_text(WSGI)
    options = ["-b", f"127.0.0.1:{port}", "--keep-alive", str(idle), "--chdir", str(folder)]
    threads = ["-k", "gthread", "--threads", "8", "--worker-tmp-dir", str(folder)]
    return [sys.executable, "-m", "gunicorn", *options, *threads, "wsgi_app:app"], "Booting worker"


def uvicorn(folder: Path, port: int, idle: int) -> tuple[list[str], str]:
    """Prepare uvicorn."""
    (folder / "asgi_app.py").write_text(ASGI)
    options = ["--port", str(port), "--timeout-keep-alive", str(idle), "--app-dir", str(folder)]
    return [sys.executable, "-m", "uvicorn", *options, "asgi_app:app"], "Uvicorn running on"


SERVERS = {one.__name__: one for one in (nginx, apache, node, gunicorn, uvicorn)}


PROGRAMS = {"nginx": "nginx", "apache": "apache2", "node": "node"}


def is_here(name: str) -> bool:
    """Tell whether a server is installed."""
    return name not in PROGRAMS or find(PROGRAMS[name]) is not None


@contextmanager
def started(name: str, folder: Path, *, idle: int) -> Iterator[tuple[Process, int]]:
    """Start a server; give its process, and the port that it listens on."""
    (port,) = free_ports(1)
    folder.mkdir()
    command, ready = SERVERS[name](folder, port, idle)
    process = Process(command, folder)
    try:
        process.wait_for_line(ready)
        yield process, port
    finally:
        if process.returncode is None:
            process.stop(signal.SIGTERM)
