"""Filing a report: read, judged in phases, kept sealed, announced."""
