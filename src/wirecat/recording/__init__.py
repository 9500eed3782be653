"""Recordings: what went over the wire, kept with its times and read again. See ``model`` for what one holds."""
