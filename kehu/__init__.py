"""The command that sets up, starts, watches, stops and inspects the suite."""
