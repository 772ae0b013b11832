"""What is kept of a person, handed to them: subject access (R15.1)."""
