"""Read-time adjusters in Jaeger's order."""
