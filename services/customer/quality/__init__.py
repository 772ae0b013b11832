"""The quality of customer files: completeness, accuracy and timeliness as scores, and what fails (R1.4)."""
