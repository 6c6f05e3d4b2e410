#!/bin/bash
# Install Debian packages; as root or through sudo.
set -euo pipefail

if ! command -v apt-get >/dev/null; then
  echo "this needs $* and there is no apt-get here: please install it by hand" >&2
  exit 1
fi
run=()
if [ "$(id -u)" -ne 0 ]; then
  run=(sudo)
fi
echo "installing $* (Debian packages)"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
