"""What combines capabilities. ``tour`` shows them all at work."""
