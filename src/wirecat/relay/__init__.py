"""The capability ``relay``: whoever connects here is joined to a connection of its own to somewhere else."""
