"""Prometheus' HTTP API (v1) over the PromQL engine."""
