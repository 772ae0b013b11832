"""Reports that were filed: the list, one with its findings."""
