"""The durable queue between collector and ingester."""
