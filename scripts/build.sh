#!/usr/bin/env bash
# Builds a solution (or filter) in Release and the images beside it: build.sh WebManager.sln. Prints errors only.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
mkdir -p artifacts

image=artifacts/images/tiny-linux
images/tiny-linux/build.sh "$image" >artifacts/image.log 2>&1 & image_pid=$!

if ! dotnet build "$1" -c Release -v q --nologo </dev/null >artifacts/build.log 2>&1; then
  grep -E 'error|MSB[0-9]+' artifacts/build.log | sort -u | head -40 >&2
  echo "The build failed; all of it is in artifacts/build.log." >&2
  wait "$image_pid" || true
  exit 1
fi
scripts/precompile.sh artifacts/bin/{WebManager.Web,WebManager.Agent,WebManager.Cli}/release || echo "Some programs were not compiled ahead of time." >&2

if ! wait "$image_pid"; then
  tail -5 artifacts/image.log >&2
  if [ -f "$image/image.json" ]; then echo "The image could not be built anew; the one in $image is used." >&2
  else echo "There is no image tiny-linux; instances cannot be made from it. The log is artifacts/image.log." >&2; fi
fi
