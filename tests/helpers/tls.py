"""A certificate for localhost that no system trusts, for tests."""

import ssl

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUXMxKFkwzelkUQ+GkIcbO7Ogq/J8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzE1MjIzNFoYDzIxMjYxMTAz
MTUyMjM0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQxc1BOqZRc5NI/6fMlhZNtbGrDvcfpGeTcPT5CirPCurrEew6ph8ik
Ig4nSSqqbYi+KLNk7JvAKWcjKTspgZPjo28wbTAdBgNVHQ4EFgQUYGIoTDvYMkru
gwhoVvXk7GG5M0YwHwYDVR0jBBgwFoAUYGIoTDvYMkrugwhoVvXk7GG5M0YwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgGJn9UtLMAS8L3Tyyl8tJpzrWcfuX0Fa8kFTQpm9dn0ECIQCe
4ppCnUYXAXKEoj6YmIktQj7WiqfutV/6JAVy9iNwsQ==
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrJAJkBAk/LZYy21P
Bwdie7jHGEFo/gQO6YKUaH71JyihRANCAAQxc1BOqZRc5NI/6fMlhZNtbGrDvcfp
GeTcPT5CirPCurrEew6ph8ikIg4nSSqqbYi+KLNk7JvAKWcjKTspgZPj
-----END PRIVATE KEY-----
"""


def server_context(folder):
    """Return the context of a server that shows the certificate."""
    path = folder / "server.pem"
    path.write_text(KEY + CERTIFICATE, encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def trust(folder, monkeypatch):
    """Have this process trust it, as an operator would."""
    path = folder / "trusted.pem"
    path.write_text(CERTIFICATE, encoding="ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
