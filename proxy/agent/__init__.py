"""The agent: runs Envoy, watches over it, and answers for its readiness and metrics."""
