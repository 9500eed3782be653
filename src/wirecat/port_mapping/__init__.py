"""Clients of a router's port mapping protocols, and what is remembered of each mapping until it is taken back."""
