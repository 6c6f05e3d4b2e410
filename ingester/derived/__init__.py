"""Metrics made of spans and access logs: RED metrics of operations, and Istio's."""
