"""TE, Transfer-Encoding and Content-Length."""
