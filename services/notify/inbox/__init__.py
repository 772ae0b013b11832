"""The inbox: the channel that every person and unit has, and where they read."""
