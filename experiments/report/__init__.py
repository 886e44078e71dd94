"""The report: one HTML page with all that was measured, complete in itself."""
