"""Reply templates: ``{data}`` is replaced by what arrived, byte for byte; everything else is literal."""

from __future__ import annotations

_PLACE = b"{data}"


class Template:
    """A template such as ``You told me: {data}``. The text is sent as UTF-8 (surrogate escapes become their bytes).

    >>> Template("server got: {data}!").render(b"\\xff")
    b'server got: \\xff!'
    """

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = text.encode("utf-8", "surrogateescape").split(_PLACE)

    def render(self, data: bytes) -> bytes:
        """The reply to ``data``."""
        return data.join(self._parts)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"
