"""Envoy's API: its descriptors and message classes."""
