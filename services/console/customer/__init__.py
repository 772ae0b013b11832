"""Customer files: the list, one file with grade and history, the change of one item."""
