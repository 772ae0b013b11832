"""Hand-overs: a person's customers go to a named successor, at once and reversibly; what leavers left behind."""
