"""Exchange: customers in from workbooks and CSV files, and out into them (R15.2)."""
