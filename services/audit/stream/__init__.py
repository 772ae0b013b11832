"""The entries as people read them: search by subject, type, actor and time, and the live stream."""
