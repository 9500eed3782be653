"""Host names in the form that DNS, TLS and proxies carry: ASCII, with international names encoded (IDNA).

Every use of a host name goes through ``ascii_name`` or ``dns_name``: lookups, server names of TLS, targets of proxies,
comparison with certificates. An international name is processed as UTS 46 says, non-transitional (as curl and browsers
do), by the package ``idna``. Without the package only names are encoded on which IDNA 2003, IDNA 2008 and UTS 46 agree:
letters, marks and digits of Unicode 3.2. All others are refused, because another encoding is another host: IDNA 2003,
which is what Python has, makes ``strasse.example`` of ``straße.example``.

>>> dns_name("www.Example"), dns_name("bücher.example")
('www.Example', 'xn--bcher-kva.example')
"""

from __future__ import annotations

from wirecat.errors import AddressError, UsageError

LONGEST_LABEL = 63  # bytes, RFC 1035 section 2.3.4
LONGEST_NAME = 253  # characters without the last dot: 255 bytes with the length bytes (RFC 1035 section 2.3.4)
INSTALL = "Install the package idna: pip install 'wirecat[idna]'."
#: Letters, digits and hyphens (RFC 1123 section 2.1), and the underscore, which names of services and old hosts have.
CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_DOTS = "\u3002\uff0e\uff61"  # full stops of other scripts that part labels too (RFC 3490 section 3.1, UTS 46)
# What IDNA 2003 and UTS 46 encode differently: ß, final sigma, the two joiners (UTS 46 section 7), and letters that UTS 46
# removes (fillers of Hangul, inherent vowels of Khmer).
_DEVIATIONS = frozenset("ß\u03c2\u200c\u200d\u115f\u1160\u17b4\u17b5")
_PLAIN = ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd")  # general categories


def dns_name(name: str) -> str:
    """As ``ascii_name``, for a name to be looked up in DNS, by this machine or a proxy, or sent by TLS (RFC 1035
    section 2.3.4: no part is empty, or longer than 63 characters).

    >>> dns_name("a..b")
    Traceback (most recent call last):
    wirecat.errors.AddressError: 'a..b' cannot be a host's name: a part of it is empty
    """
    encoded = ascii_name(name)
    labels = encoded.removesuffix(".").split(".")
    if "" in labels:
        raise _no_name(name, "a part of it is empty")
    if any(len(label) > LONGEST_LABEL for label in labels):
        raise _no_name(name, f"a part of a name has at most {LONGEST_LABEL} characters")
    if len(encoded.removesuffix(".")) > LONGEST_NAME:
        raise _no_name(name, f"a name has at most {LONGEST_NAME} characters")
    return encoded


def ascii_name(name: str) -> str:
    """``name`` as ASCII, its characters checked. A dot at its end stays.

    Raises AddressError for what cannot be a host's name, and UsageError for an international name that needs the
    package ``idna`` where that is missing.
    """
    encoded = name if name.isascii() else _encoded(name)
    if not encoded:
        raise _no_name(name, "it is empty")
    if not CHARACTERS.issuperset(encoded):
        raise _no_name(name, "it has characters other than letters, digits, hyphens and dots")
    return encoded


def _no_name(name: str, reason: str) -> AddressError:
    return AddressError(f"{name!r} cannot be a host's name: {reason}")


def _encoded(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:  # a byte of the command line that is no UTF-8
        raise _no_name(name, "it is no text") from None
    try:
        import idna
    except ImportError:
        for dot in _DOTS:
            name = name.replace(dot, ".")
        return ".".join(label if label.isascii() else _plain(name, label) for label in name.split("."))
    try:
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        # Labels of ASCII stay as they are, with an underscore too, which idna.encode() would refuse.
        return ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in mapped.split("."))
    except idna.IDNAError as error:
        raise _no_name(name, str(error)) from error


def _plain(name: str, label: str) -> str:
    """A label in its ASCII form without the package. Raises UsageError unless all standards encode it in the same way."""
    from encodings.idna import nameprep
    from unicodedata import normalize, ucd_3_2_0

    # One character at a time: str.lower() makes a final sigma at a word's end.
    lowered = normalize("NFC", "".join(letter.lower() for letter in label))
    try:
        stable = nameprep(lowered) == lowered and lowered[2:4] != "--"
    except UnicodeError:
        stable = False
    if not stable or not all(
        letter in "-0123456789" or (letter not in _DEVIATIONS and ucd_3_2_0.category(letter) in _PLAIN)
        for letter in lowered
    ):
        raise UsageError(f"the host name {name!r} needs the package idna to be encoded", hint=INSTALL)
    return lowered if lowered.isascii() else f"xn--{lowered.encode('punycode').decode('ascii')}"
