"""Custody: who keeps a sign-in that matters, and how it goes from one person to the next under supervision (R4.5)."""
