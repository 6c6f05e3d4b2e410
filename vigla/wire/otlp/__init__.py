"""OTLP payloads: admission, JSON to protobuf, protobuf to columns."""
