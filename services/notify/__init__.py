"""The notify service: declared events become messages, each delivered exactly once to whom it concerns."""
