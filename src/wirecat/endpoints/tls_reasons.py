"""OpenSSL's reasons for a handshake that failed, in words: by their symbolic codes and by the bytes of the peer.

An alert (RFC 8446 section 6.2) is what the peer said; the other reasons are what this side found. The names are those
of OpenSSL's sslerr.h, which Python and pyOpenSSL pass on.
"""

from __future__ import annotations

_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0xFEFF: "DTLS 1.0"}
_OPTION = {0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0xFEFF: "1.0"}
# The content type of a record (RFC 8446 section 5.1) and the types of messages in a handshake (section 4).
_HANDSHAKE = 22
_CLIENT_HELLO, _SERVER_HELLO = 1, 2

_OUR_CERTIFICATE = ("the peer does not accept our certificate", "")
_CIPHERS = (
    "no common cipher suite",
    "The peer has none of the ciphers that are offered here. Allow more: ciphers=ALL, or ciphers=ALL:@SECLEVEL=0.",
)
_NO_AGREEMENT = (
    "the peer found nothing in common to agree on (alert handshake_failure)",
    "It may lack the ciphers offered (allow more: ciphers=ALL), or want a certificate of ours (cert=FILE&key=FILE).",
)
_WEAK = "Allow weak ones: ciphers=ALL:@SECLEVEL=0."
# The alerts by their names in RFC 8446 section 6.2, which OpenSSL's reasons end with.
ALERTS = {
    "HANDSHAKE_FAILURE": _NO_AGREEMENT,
    "INSUFFICIENT_SECURITY": (
        "the peer wants stronger ciphers than those offered", "Leave ciphers= away, or name stronger ones.",
    ),
    "CERTIFICATE_REQUIRED": ("the peer wants a certificate of ours", "Give it one: cert=FILE&key=FILE."),
    "UNKNOWN_CA": ("the peer does not trust our certificate", "It does not know the signer of that certificate."),
    "BAD_CERTIFICATE": _OUR_CERTIFICATE,
    "UNSUPPORTED_CERTIFICATE": _OUR_CERTIFICATE,
    "CERTIFICATE_UNKNOWN": _OUR_CERTIFICATE,
    "CERTIFICATE_REVOKED": ("our certificate is revoked, says the peer", ""),
    "CERTIFICATE_EXPIRED": ("our certificate has expired, says the peer", ""),
    "ACCESS_DENIED": ("the peer denies access", ""),
    "NO_APPLICATION_PROTOCOL": ("the peer speaks none of the protocols offered (ALPN)", ""),
    "UNRECOGNIZED_NAME": ("the peer does not go by that name", "Name another: servername=NAME."),
}  # fmt: skip
REASONS = {
    "NO_SHARED_CIPHER": _CIPHERS,
    "NO_CIPHERS_AVAILABLE": ("no cipher is left to offer", "The ciphers= given are of no version that is allowed."),
    "NO_PROTOCOLS_AVAILABLE": ("no version of TLS is left to offer", "This OpenSSL does not have the version of min=."),
    "NO_SUITABLE_SIGNATURE_ALGORITHM": ("no common signature algorithm", _WEAK),
    "NO_SHARED_SIGNATURE_ALGORITHMS": ("no common signature algorithm", _WEAK),
    "WRONG_SIGNATURE_TYPE": ("no common signature algorithm", _WEAK),
    "NO_SHARED_GROUP": ("no common group for the key exchange", ""),
    "NO_SHARED_GROUPS": ("no common group for the key exchange", ""),
    "DH_KEY_TOO_SMALL": ("the peer's Diffie-Hellman key is too short", _WEAK),
    "EE_KEY_TOO_SMALL": ("the key of the certificate is too short", _WEAK),
    "CA_KEY_TOO_SMALL": ("the key of the certificate's signer is too short", _WEAK),
    "CA_MD_TOO_WEAK": ("the certificate is signed with a hash that is too weak", _WEAK),
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": ("the peer has no secure renegotiation (RFC 5746)", "It needs an update."),
    "NO_APPLICATION_PROTOCOL": ("no common protocol (ALPN)", ""),
    "TLSV1_UNRECOGNIZED_NAME": ALERTS["UNRECOGNIZED_NAME"],
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": ("the peer shows no certificate", ""),
}
_VERSION_REASONS = ("UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "VERSION_TOO_LOW", "VERSION_TOO_HIGH")


def in_words(reason: str, otherwise: str, first: bytes = b"") -> tuple[str, str]:
    """A message and a hint for OpenSSL's ``reason`` (a name of sslerr.h); ``otherwise`` is the message where there is none.

    ``first`` are the first bytes of the peer, which show the version that it offers.
    """
    alert = alert_name(reason)
    if reason in _VERSION_REASONS or alert == "PROTOCOL_VERSION":
        return _versions(first)
    if reason in REASONS:
        return REASONS[reason]
    if alert:
        return ALERTS.get(alert) or (f"the peer refuses: {alert.replace('_', ' ').lower()}", "")
    return f"TLS failed: {reason.replace('_', ' ').lower() or otherwise}", ""


def alert_name(reason: str) -> str:
    """The alert that a reason stands for; empty for what this side found. Versions of OpenSSL begin it differently.

    >>> alert_name("SSLV3_ALERT_HANDSHAKE_FAILURE"), alert_name("NO_SHARED_CIPHER")
    ('HANDSHAKE_FAILURE', '')
    """
    return reason.partition("_ALERT_")[2]


def _versions(first: bytes) -> tuple[str, str]:
    """What the peer offers, as far as its first record shows it."""
    version = offered_version(first)
    if version in _VERSIONS:
        return only_version(version)
    return "the peer speaks none of the versions of TLS allowed here", "It may be an old one. To allow that: min=1.0."


def only_version(version: int) -> tuple[str, str]:
    """A message and a hint for a peer whose newest version is ``version``."""
    weak = "" if version == 0x0303 else ", though it is weak"
    return f"the peer offers only {_VERSIONS[version]}", f"To allow it{weak}: min={_OPTION.get(version, '1.0')}."


def offered_version(first: bytes) -> int:
    """The newest version that a peer offers by its first record, as on the wire; 0 where that does not show.

    That is the version in a ClientHello or ServerHello (RFC 5246 sections 7.4.1.2 and 7.4.1.3). The version of an
    alert's record says nothing.

    >>> hex(offered_version(bytes.fromhex("1603010031 0200002d 0301")))
    '0x301'
    """
    place = _hello(first)
    return int.from_bytes(first[place : place + 2], "big") if place and len(first) >= place + 2 else 0


def server_choice(first: bytes) -> tuple[int, int]:
    """The version and the cipher suite of a ServerHello in TLS; 0 and 0 where ``first`` is none.

    A ServerHello of TLS 1.3 has the version of TLS 1.2 here (RFC 8446 section 4.1.3).
    """
    place = _hello(first)
    if not place or first[5] != _SERVER_HELLO or len(first) < place + 35:
        return 0, 0
    behind = place + 35 + first[place + 34]  # the version, 32 random bytes, the session's number with its length
    return int.from_bytes(first[place : place + 2], "big"), int.from_bytes(first[behind : behind + 2], "big")


def _hello(first: bytes) -> int:
    """Where the body of a ClientHello or ServerHello begins; 0 where the first record is none."""
    if len(first) < 3 or first[0] != _HANDSHAKE:
        return 0
    datagram = first[1] == 0xFE  # a record of DTLS has an epoch and a number too (RFC 6347 section 4.1)
    header, message = (13, 12) if datagram else (5, 4)
    is_hello = len(first) > header and first[header] in (_CLIENT_HELLO, _SERVER_HELLO)
    return header + message if is_hello else 0
