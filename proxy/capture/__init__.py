"""Transparent capture: the kernel redirects a workload's connections to its sidecar."""
