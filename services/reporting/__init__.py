"""The reporting service: partners and branches file declared reports, and learn at once what is wrong with them."""
