"""Reach: can others get to a server of this PC, what is in the way, and what a router can do about it."""
