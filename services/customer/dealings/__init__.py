"""What customers buy and which rules they break: the source of totals and of computed items."""
