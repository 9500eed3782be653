"""Taps: what looks at, or alters, the bytes of a connection. One file each; see ``tap`` for what one is."""
