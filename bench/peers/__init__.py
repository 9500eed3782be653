"""Servers to compare with, as a Python programmer would write them."""
