"""The person's own messages."""
