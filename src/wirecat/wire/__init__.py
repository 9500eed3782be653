"""Protocol bytes, pure: bytes go in, bytes and values come out. Nothing here does I/O."""
