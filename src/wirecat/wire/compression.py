"""Compressed captures, unpacked as they come: gzip (RFC 1952), and zstd (RFC 8878) where the standard library has it."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LONGEST_MAGIC = 4
_GZIP_WINDOW = zlib.MAX_WBITS | 16  # a header and a trailer of gzip around the data (zlib.decompressobj)


class CompressionUnsupported(ValueError):
    """This Python cannot unpack it; ``program`` is one that can."""

    def __init__(self, name: str, program: str) -> None:
        super().__init__(f"it is compressed with {name}, which this Python cannot unpack")
        self.program = program


class Unpacker:
    """Unpacks a file: ``feed`` takes its next bytes and gives what they unpack to. Bytes that are not compressed stay as
    they are. A file may hold several compressed parts, one behind another."""

    def __init__(self) -> None:
        self._held = b""  # too little to know what it is
        self._known = False
        self._make: Any = None  # makes a decompressor; None: not compressed
        self._part: Any = None

    def feed(self, data: bytes) -> bytes:
        """Raises CompressionUnsupported, and ValueError for damage: nothing behind it can be unpacked."""
        if not self._known:
            data = self._held + data
            if len(data) < _LONGEST_MAGIC:
                self._held = data
                return b""
            self._recognise(data)
        return data if self._make is None else self._unpack(data)

    def finish(self) -> tuple[bytes, str]:
        """What was held back, and what is wrong with the end of the file (empty: nothing)."""
        if not self._known:
            return self._held, ""
        torn = self._part is not None and not self._part.eof
        return b"", "the compressed data end too early" if torn else ""

    def _recognise(self, data: bytes) -> None:
        self._known, self._held = True, b""
        if data.startswith(_GZIP):
            self._make = _gzip
        elif data.startswith(_ZSTD):
            self._make = _zstd()

    def _unpack(self, data: bytes) -> bytes:
        found = []
        data, self._held = self._held + data, b""
        while data:
            if self._part is None or self._part.eof:
                if len(data) < _LONGEST_MAGIC:
                    self._held = data
                    break
                if not data.startswith((_GZIP, _ZSTD)):
                    break  # padding behind the last part
                self._part = self._make()
            try:
                found.append(self._part.decompress(data))
            except Exception as error:  # zlib.error, or the other module's own
                raise ValueError(f"the compressed data are damaged: {error}") from error
            data = self._part.unused_data if self._part.eof else b""
        return b"".join(found)


def _gzip() -> Any:
    return zlib.decompressobj(_GZIP_WINDOW)


def _zstd() -> Any:
    try:
        from compression.zstd import ZstdDecompressor  # type: ignore[import-not-found,unused-ignore]
    except ImportError:  # before Python 3.14
        raise CompressionUnsupported("zstd", "zstd -dc") from None
    return ZstdDecompressor
