"""Names in an X.509 certificate: subject, issuer, alternative names and validity, read from its DER (RFC 5280).

Python's ``ssl`` tells them only of a certificate that it has verified; of one that it has not it gives the bytes. Read
here is no more than what people are shown and names are compared with: nothing is verified, and no key is looked at.
"""

from __future__ import annotations

from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Name = tuple[tuple[str, str], ...]

# Tags of DER (X.690 section 8): universal types, and the context's own of RFC 5280 section 4.1.
_SEQUENCE, _SET, _OBJECT, _OCTETS, _INTEGER = 0x30, 0x31, 0x06, 0x04, 0x02
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87  # GeneralName, RFC 5280 section 4.2.1.6
_ALTERNATIVE_NAMES = "2.5.29.17"
# The encodings of the strings in a name (X.680 section 41); whatever else there is, is shown byte by byte.
_ENCODINGS = {0x0C: "utf-8", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
# RFC 4514 section 3 and the usual short names of the rest.
_SHORT_NAMES = {
    "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN",
    "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
}  # fmt: skip
_Element = tuple[int, memoryview]


class CertificateNames(Immutable):
    """What a certificate says of itself, unverified.

    ``subject`` and ``issuer`` are pairs of a short name (``CN``, ``O``, …, else the number of the type) and a value, in
    the certificate's order; ``dns_names`` and ``ip_addresses`` its alternative names; ``not_before`` and ``not_after``
    are when it is valid (``2026-01-31 12:00:00``, UTC).
    """

    __slots__ = ("dns_names", "ip_addresses", "issuer", "not_after", "not_before", "subject")

    subject: Name
    issuer: Name
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    not_before: str
    not_after: str

    def __init__(self, **fields: object) -> None:
        self._set(**fields)

    @property
    def common_names(self) -> tuple[str, ...]:
        """All common names of the subject, in order."""
        return tuple(value for kind, value in self.subject if kind == "CN")

    @property
    def organisation(self) -> str:
        """The subject's organisation; empty where it names none."""
        return next((value for kind, value in self.subject if kind == "O"), "")

    @property
    def self_issued(self) -> bool:
        """Whether it names itself as its issuer, as a self-signed one does."""
        return self.subject == self.issuer


def read_names(der: bytes) -> CertificateNames:
    """Read a certificate's names. Raises ValueError for what is no certificate; never reads past its end.

    >>> read_names(b"0")
    Traceback (most recent call last):
        ...
    ValueError: no certificate: it ends in the middle
    """
    try:
        certificate = _only(memoryview(der), _SEQUENCE)
        fields = _elements(_expect(_elements(certificate), _SEQUENCE))
        kind, _ = _next(fields)
        if kind == _VERSION:
            kind, _ = _next(fields)
        _require(kind == _INTEGER, "no serial number")
        _expect(fields, _SEQUENCE)  # how it is signed
        issuer = _name(_expect(fields, _SEQUENCE))
        validity = _elements(_expect(fields, _SEQUENCE))
        not_before, not_after = _time(*_next(validity)), _time(*_next(validity))
        subject = _name(_expect(fields, _SEQUENCE))
        _expect(fields, _SEQUENCE)  # its public key
        dns_names, ip_addresses = _alternative_names(fields)
    except (ValueError, IndexError, OverflowError) as error:
        raise ValueError(f"no certificate: {error}") from None
    return CertificateNames(
        subject=subject, issuer=issuer, dns_names=dns_names, ip_addresses=ip_addresses, not_before=not_before,
        not_after=not_after,
    )  # fmt: skip


def name_text(name: Name) -> str:
    """A subject or issuer in one line: ``CN=localhost, O=Example``.

    >>> name_text((("CN", "localhost"), ("O", "Example")))
    'CN=localhost, O=Example'
    """
    return ", ".join(f"{kind}={value}" for kind, value in name)


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(otherwise)


def _elements(content: memoryview) -> Iterator[_Element]:
    """The elements that stand in ``content`` one behind the other: tag and content of each (X.690 section 8.1)."""
    place = 0
    while place < len(content):
        _require(len(content) - place >= 2, "it ends in the middle")
        tag, length = content[place], content[place + 1]
        # One of many bytes does not occur in a certificate.
        _require(tag & 0x1F != 0x1F, "a tag of several bytes")
        place += 2
        if length >= 0x80:
            count = length & 0x7F
            _require(0 < count <= 4, "a length that cannot be")
            _require(len(content) - place >= count, "it ends in the middle")
            length = int.from_bytes(content[place : place + count], "big")
            place += count
        _require(len(content) - place >= length, "it ends in the middle")
        yield tag, content[place : place + length]
        place += length


def _next(elements: Iterator[_Element]) -> _Element:
    for element in elements:
        return element
    raise ValueError("something is missing")


def _expect(elements: Iterator[_Element], tag: int) -> memoryview:
    found, content = _next(elements)
    _require(found == tag, f"tag {found:#04x} where {tag:#04x} belongs")
    return content


def _only(content: memoryview, tag: int) -> memoryview:
    elements = _elements(content)
    found = _expect(elements, tag)
    _require(next(elements, None) is None, "something stands behind it")
    return found


def _name(content: memoryview) -> Name:
    """A Name (RFC 5280 section 4.1.2.4): a sequence of sets of pairs of type and value."""
    pairs = []
    for tag, relative in _elements(content):
        _require(tag == _SET, "a name that is none")
        for inner, pair in _elements(relative):
            _require(inner == _SEQUENCE, "a name that is none")
            parts = _elements(pair)
            number = _object_number(_expect(parts, _OBJECT))
            pairs.append((_SHORT_NAMES.get(number, number), _text(*_next(parts))))
    return tuple(pairs)


def _text(tag: int, content: memoryview) -> str:
    # Old certificates write Latin-1 into any kind of string; replaced letters are better than no name.
    return bytes(content).decode(_ENCODINGS.get(tag, "latin-1"), "replace")


def _object_number(content: memoryview) -> str:
    """An object identifier in its dotted form (X.690 section 8.19)."""
    _require(0 < len(content) <= 64 and not content[-1] & 0x80, "an object identifier that is none")
    numbers, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _time(tag: int, content: memoryview) -> str:
    """A UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5) as ``YYYY-MM-DD HH:MM:SS``."""
    text = bytes(content).decode("ascii", "replace")
    _require(tag in (0x17, 0x18), "a date that is none")
    if tag == 0x17:  # two digits of the year, from 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    _require(len(text) == 15 and text[:14].isascii() and text[:14].isdigit() and text[14] == "Z", "a date that is none")
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:14]}"


def _alternative_names(fields: Iterator[_Element]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The DNS names and IP addresses of the extension that has them (RFC 5280 section 4.2.1.6)."""
    dns_names: list[str] = []
    ip_addresses: list[str] = []
    for tag, content in fields:
        if tag != _EXTENSIONS:
            continue
        for kind, extension in _elements(_only(content, _SEQUENCE)):
            _require(kind == _SEQUENCE, "an extension that is none")
            parts = list(_elements(extension))  # its type, whether it is critical (may be left out), its value
            whole = len(parts) >= 2 and parts[0][0] == _OBJECT and parts[-1][0] == _OCTETS
            _require(whole, "an extension that is none")
            if _object_number(parts[0][1]) != _ALTERNATIVE_NAMES:
                continue
            for form, value in _elements(_only(parts[-1][1], _SEQUENCE)):
                if form == _DNS_NAME:
                    dns_names.append(bytes(value).decode("ascii", "backslashreplace"))
                elif form == _IP_ADDRESS:
                    ip_addresses.append(_ip_address(value))
    return tuple(dns_names), tuple(ip_addresses)


def _ip_address(value: memoryview) -> str:
    """4 bytes or 16 as an address in numbers (IPv6 in full, RFC 5952 is for people)."""
    if len(value) == 4:
        return ".".join(map(str, value))
    _require(len(value) == 16, "an IP address of a strange length")
    return ":".join(f"{value[place] << 8 | value[place + 1]:x}" for place in range(0, 16, 2))
