"""Lines: the numbers and accounts that the company assigns, and who speaks on them (R7.1)."""
