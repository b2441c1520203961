import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.site import Site, started_site
from tests.peers import Certificates
from tests.peers.fixtures import certificates, confdir, http1_tls, http2_tls

__all__ = ["certificates", "confdir", "http1_tls", "http2_tls", "site"]


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    certificates: Certificates,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with started_site(folder, certificates, http2_tls, confdir) as started:
        yield started
