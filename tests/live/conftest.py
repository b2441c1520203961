from tests.peers.fixtures import certificates, confdir, http1_tls, http2_tls

__all__ = ["certificates", "confdir", "http1_tls", "http2_tls"]
