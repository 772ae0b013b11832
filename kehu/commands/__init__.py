"""The groups of `kehu` commands for operations; each module is one group."""
