"""The command line: parses, calls the library, renders. ``main`` dispatches; one file a verb."""
