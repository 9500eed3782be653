"""Which versions of TLS and which ciphers are spoken: the options ``min`` and ``ciphers``, for contexts of Python's ssl."""

from __future__ import annotations

import os

from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

SYSTEM = "system"
#: What the option ``min`` takes: the oldest version to speak, or what OpenSSL's configuration says.
MINIMUMS = ("1.0", "1.1", "1.2", "1.3", SYSTEM)
# TLS 1.0 and 1.1 sign with MD5 and SHA-1, which OpenSSL 3 has at security level 0 only (SSL_CTX_set_security_level(3)).
_LEVEL = "@SECLEVEL"
# MinProtocol in openssl.cnf (SSL_CONF_cmd(3)); its other values are older than what is spoken here, or of DTLS.
_NAMES = {"tlsv1.1": "1.1", "tlsv1.2": "1.2", "tlsv1.3": "1.3"}


def oldest_version(minimum: str) -> int:
    """The oldest version that is offered to a peer, as on the wire (RFC 8446 section 4.2.1).

    >>> hex(oldest_version("")), hex(oldest_version("1.0"))
    ('0x303', '0x301')
    """
    if minimum == SYSTEM:
        minimum = system_minimum() or "1.0"
    return 0x0301 + ("1.0", "1.1", "1.2", "1.3").index(minimum or "1.2")


def ciphers_for(ciphers: str, minimum: str) -> str:
    """The list of ciphers for OpenSSL; empty: the default. One for TLS 1.0 or 1.1 gets the security level these need.

    >>> ciphers_for("AES128-SHA", "1.0"), ciphers_for("", "1.1"), ciphers_for("HIGH", "1.2")
    ('AES128-SHA:@SECLEVEL=0', 'DEFAULT:@SECLEVEL=0', 'HIGH')
    """
    if minimum not in ("1.0", "1.1") or _LEVEL in ciphers:
        return ciphers
    return f"{ciphers or 'DEFAULT'}:{_LEVEL}=0"


def set_versions(context: ssl.SSLContext, ciphers: str, minimum: str) -> None:
    """Set the oldest version (empty: TLS 1.2, Python's default) and the ciphers. Raises UsageError for unknown ciphers."""
    import ssl

    ciphers = ciphers_for(ciphers, minimum)
    if minimum == SYSTEM:
        minimum = system_minimum() or "1.0"
    if minimum == "1.0":
        # The oldest that OpenSSL has: Python switches SSL 3 off in every context.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    elif minimum == "1.1":
        import warnings

        with warnings.catch_warnings():  # Python deprecates the version; here the user has asked for it
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1_1
    elif minimum:
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if minimum == "1.3" else ssl.TLSVersion.TLSv1_2
    if ciphers:
        try:
            context.set_ciphers(ciphers)
        except (ssl.SSLError, ValueError):  # ValueError: it is no ASCII
            raise UsageError(f"OpenSSL knows no cipher of {ciphers!r}", step="TLS") from None


def system_minimum() -> str:
    """The MinProtocol of OpenSSL's configuration file (config(5)), where it says one; else empty.

    Programs in C get it from OpenSSL; Python overwrites it in every context, and does not tell it.
    """
    import ssl

    folder = os.path.dirname(ssl.get_default_verify_paths().openssl_capath)
    path = os.environ.get("OPENSSL_CONF") or os.path.join(folder, "openssl.cnf")
    found = ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  pathlib would cost its import
            for line in file:
                name, equals, value = line.partition("#")[0].partition("=")
                if equals and name.strip().lower() == "minprotocol":
                    found = _NAMES.get(value.strip().lower(), "")
    except OSError:
        return ""
    return found
