"""Fictional people, units and customers with which a new suite starts."""
