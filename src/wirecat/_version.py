"""The version of wirecat: the one place it is written, read by the build and by `wirecat --version`."""

__version__ = "0.1.0"
