"""Certificates such as a web server shows: RSA keys of 2,048 bits, and two authorities between."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mitmproxy.certs import Cert

_SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_AUTHORITIES = ("Example Root CA", "Example Intermediate R2", "Example Issuing CA G3")
_HOSTS = ("www.example.com", "example.com", "cdn.example.com", "*.example.net")


def make_chain() -> list[Cert]:
    """Make four certificates, the server's first."""
    chain: list[Cert] = []
    issuer_key = issuer = None
    for common_name in (*_AUTHORITIES, _HOSTS[0]):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Trust Services"),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
        builder = (
            x509.CertificateBuilder(issuer or name, name, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_SINCE)
            .not_valid_after(_SINCE + datetime.timedelta(days=397))
            .add_extension(x509.BasicConstraints(common_name in _AUTHORITIES, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        if common_name not in _AUTHORITIES:
            names = x509.SubjectAlternativeName(list(map(x509.DNSName, _HOSTS)))
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(names, False).add_extension(usage, False)
        chain.insert(0, Cert(builder.sign(issuer_key or key, hashes.SHA256())))
        issuer_key, issuer = key, name
    return chain
