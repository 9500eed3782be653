"""ncat's command line: options in, the library's verbs and options out. One file a mode."""
