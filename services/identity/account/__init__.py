"""Credentials of people: passwords, invitations, second factors, and how much guessing is borne."""
