"""Organisation units: a tree, its changes and their history."""
