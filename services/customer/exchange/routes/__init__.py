"""HTTP doors of exchange."""
