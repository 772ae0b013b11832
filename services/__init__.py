"""The six services; each is one package of the same shape (docs/architecture.md)."""
