"""The capability ``swarm``: many clients at once, each of which checks its replies, and what came of it."""
