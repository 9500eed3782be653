"""Documents as JSON text that every parser reads (RFC 8259, and RFC 7493 for its strings)."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def json_text(document: object, *, indent: int | None = None) -> str:
    r"""``document`` in JSON, in ASCII alone: a terminal obeys nothing in it, and no encoding of stdout changes it.

    Bytes that are no UTF-8 come as lone surrogates (PEP 383), which JSON can write but many parsers refuse (RFC 7493
    section 2.1): they are written as ``\xNN``, as ``wire.printable`` writes them.

    >>> print(json_text({"path": "/tmp/\udcff\x9b"}))
    {"path": "/tmp/\\xff\u009b"}
    """
    text = json.dumps(document, indent=indent)
    if "\\ud" not in text:
        return text
    return json.dumps(_without_surrogates(document), indent=indent)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        try:
            data = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # a surrogate that stands for no byte
            data = value.encode("utf-8", "backslashreplace")
        return data.decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(each) for each in value]
    return value
