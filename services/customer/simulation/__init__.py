"""What a grade policy would change before it is in force: who would move, from what to what. Writes no grade."""
