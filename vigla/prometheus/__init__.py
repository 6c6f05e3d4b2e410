"""What Prometheus defines and several roles read: durations, regular expressions, its files, relabelling."""
