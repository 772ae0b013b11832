"""The keys that sign bearer tokens, and their publication."""
