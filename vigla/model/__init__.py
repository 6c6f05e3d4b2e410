"""Column schemas and ids: the shape of telemetry between wire and disk."""
