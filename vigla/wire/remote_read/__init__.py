"""Remote read: samples for other Prometheus servers, as messages or as a stream of chunks."""
