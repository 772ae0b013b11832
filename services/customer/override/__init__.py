"""Grades that people set in place of the reckoned one: proposed, approved by another, in force until a day."""
