"""Duplicates: customers with two files, found by declared rules."""
