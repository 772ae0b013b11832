"""Which reviews of customer files are due, verifications by which they are made, and what is overdue."""
