"""Which items a kind of customer has, and whether values fit them."""
