"""Pages of metrics as targets expose them: Prometheus' text format and OpenMetrics."""
