"""Keys of partner systems: made and shown once, narrowed, rotated, revoked; every service checks them by itself."""
