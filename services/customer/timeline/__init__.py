"""Everything that happened to one customer, newest first: what each feature tells of it."""
