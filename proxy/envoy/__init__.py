"""Envoy's own API: message classes from the descriptors that the build puts beside this file."""
