"""One file a benchmark: ``run(settings)`` measures, and returns an Outcome."""
