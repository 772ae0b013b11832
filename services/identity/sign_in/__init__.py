"""Signing in: people by password, partner systems by client credentials; guessing is slowed down."""
