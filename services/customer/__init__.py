"""Customer files under declared dictionaries, what customers buy, and their grades."""
