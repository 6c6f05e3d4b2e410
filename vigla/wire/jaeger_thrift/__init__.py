"""Jaeger's Thrift batches, as clients send them by UDP, to OTLP."""
