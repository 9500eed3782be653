"""Being a server: accept, admission, handler, gone. ``server`` is the verb, the other files are its parts."""
