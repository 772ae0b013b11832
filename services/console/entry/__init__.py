"""The audit log for people: searched, live, and one entry with its proof."""
