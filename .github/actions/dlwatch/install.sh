#!/bin/bash
# Builds and installs dlwatch of the repository that the action lies in, where it is not there yet.
set -eu
command -v dlwatch >/dev/null && exit
source=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
make -C "$source" deps all
root=$([ "$(id -u)" = 0 ] || echo sudo)
$root make -C "$source" install
