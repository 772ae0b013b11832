"""People within one's reach: the list, and one person with posts, roles, lines, history and what they hand over."""
