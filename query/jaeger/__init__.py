"""The HTTP APIs of Jaeger: v1 and v3."""
