"""Whether objects make sense: what Istio's own admission would refuse or warn of."""

from proxy.validate.judge import validate

__all__ = ["validate"]
