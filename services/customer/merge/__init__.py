"""Merging: two files of one customer become one, and can be taken apart again for a while."""
