"""What this machine knows: its sockets and their processes, its addresses, its limits."""
