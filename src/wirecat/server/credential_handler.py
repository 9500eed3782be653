"""What a handler derives from that clients send their passwords to."""

from __future__ import annotations


class CredentialHandler:
    """A handler that reads credentials from its clients, as a proxy does: a server's taps see those masked."""
