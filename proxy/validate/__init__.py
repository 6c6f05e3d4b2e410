"""Whether objects make sense: what Istio's own admission would refuse or warn of."""
