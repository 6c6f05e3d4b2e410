"""Access logs of proxies: admission, and protobuf to columns."""
