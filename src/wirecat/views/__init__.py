"""Views: results and events as text and JSON. They render; they never touch sockets."""
