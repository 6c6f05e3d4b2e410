"""xDS: each Envoy gets the resources made for it, and every later change, over one gRPC stream."""
