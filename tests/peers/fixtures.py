"""Fixtures for tests that use these peers: import them in a conftest.py."""

import ssl
from pathlib import Path

import pytest

from .certs import Certificates, make_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Give a throw-away authority and server certificate."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def http1_tls(certificates: Certificates) -> ssl.SSLContext:
    """Give a server's context for HTTP/1."""
    return certificates.server_context(["http/1.1"])


@pytest.fixture(scope="session")
def http2_tls(certificates: Certificates) -> ssl.SSLContext:
    """Give a server's context for HTTP/2."""
    return certificates.server_context(["h2"])


@pytest.fixture(scope="session")
def confdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for mitmproxy's authority, so that its keys are made once."""
    return tmp_path_factory.mktemp("mitmproxy")
