"""What waits for a person, in all features."""
