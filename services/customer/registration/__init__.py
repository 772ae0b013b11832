"""Registration forms: filled in by customer managers, approved or returned, and then customers (R7.2, R5.6)."""
