"""Grades by declared policies, explained, and re-checked when something that counts changes."""
