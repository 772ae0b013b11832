"""Bytes that records of customers refer to: looked through before they are taken, kept sealed, swept when unneeded."""
