"""Events that a service could not apply: seen, replayed, given up."""
