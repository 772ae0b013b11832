"""Contacts of staff with customers: visits, receptions, calls, messages, faxes and letters."""
