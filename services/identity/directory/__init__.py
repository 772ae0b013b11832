"""Units, people and partner clients: who there is, and where they belong."""
