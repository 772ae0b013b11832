"""The identity service: the staff directory, organisation units, sign-in, and the keys that sign bearer tokens."""
