"""Finds customers by any part of a name, an address, a contact or a number, in characters or in pinyin."""
