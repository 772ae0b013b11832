"""Intake: many people at once from a table (CSV, XLSX), all or none."""
