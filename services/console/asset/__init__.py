"""Style sheet, scripts and icon."""
