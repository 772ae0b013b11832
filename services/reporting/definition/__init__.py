"""What may be filed: the declared report types, as partners read them."""
