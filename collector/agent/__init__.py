"""Runs beside applications: takes what they send, keeps it on disk, hands it to the collector."""
