#!/usr/bin/env bash
# Builds WebManager and starts the portal with a lab of three nodes. Ctrl-C stops all of it.
# WEBMANAGER_DATA (./data), WEBMANAGER_PORT (5000), WEBMANAGER_RAPI_PORT, WEBMANAGER_ADMIN_PASSWORD: see README.md.
set -euo pipefail
root=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
WEBMANAGER_DATA=$(realpath -m -- "${WEBMANAGER_DATA:-$root/data}")
export WEBMANAGER_DATA WEBMANAGER_PORT=${WEBMANAGER_PORT:-5000} PATH=$PATH:/usr/sbin:/sbin
cd "$root"

# Before the build: it must not change programs that run.
if [ -e "$WEBMANAGER_DATA/portal.lock" ] && ! flock -n "$WEBMANAGER_DATA/portal.lock" true; then
  echo "A portal already uses $WEBMANAGER_DATA. Stop it first, or set WEBMANAGER_DATA and WEBMANAGER_PORT to run another beside it." >&2
  exit 1
fi

scripts/install.sh run
echo "Building ..."
scripts/build.sh WebManager.Products.slnf

export Lab__Enabled=${Lab__Enabled:-true} Lab__Nodes=${Lab__Nodes:-3} Images__Folder=${Images__Folder:-$root/artifacts/images}
[ "$Lab__Enabled" = true ] && export Portal__ExpectedNodes=${Portal__ExpectedNodes:-$Lab__Nodes}
mkdir -p "$WEBMANAGER_DATA"
log=$WEBMANAGER_DATA/portal.log
dotnet exec artifacts/bin/WebManager.Web/release/WebManager.Web.dll "$@" </dev/null >>"$log" 2>&1 & portal=$!

stopping=
trap 'stopping=yes; kill -TERM $portal 2>/dev/null || true' INT TERM HUP

address=http://localhost:$WEBMANAGER_PORT
began=$SECONDS
healthy() { curl -fs -m 2 -o /dev/null "$address/healthz"; }
until healthy || [ -n "$stopping" ] || ! kill -0 $portal 2>/dev/null; do
  if [ $((SECONDS - began)) -eq 60 ]; then
    echo "The cluster is not healthy yet: $(curl -s -m 2 "$address/healthz" | head -1). The log is $log."
    began=$((SECONDS + 1000000))
  fi
  sleep 0.3
done

if [ -z "$stopping" ] && kill -0 $portal 2>/dev/null; then
  echo
  echo "WebManager runs:  $address"
  if [ -s "$WEBMANAGER_DATA/setup-link.txt" ]; then
    echo "First of all make your account, with this link (it works once):"
    echo "  $(cat "$WEBMANAGER_DATA/setup-link.txt")"
  fi
  echo "The log is $log. Ctrl-C stops the portal and its lab."
fi

# A signal ends the first wait early.
code=0
while kill -0 $portal 2>/dev/null; do code=0; wait $portal || code=$?; done
if [ -n "$stopping" ]; then
  echo "Stopped."
  exit 0
fi
tail -5 "$log" >&2
echo "The portal ended by itself (exit code $code); its log is $log. The lab's nodes go on; ./run.sh takes them over." >&2
exit 1
