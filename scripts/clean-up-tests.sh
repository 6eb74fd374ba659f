#!/usr/bin/env bash
# Ends what a test run left behind: clean-up-tests.sh FOLDER. Processes carry WM_TEST_RUN=FOLDER; a lab's bridge carries its data folder as alias.
set -u
folder=${1:?}
export PATH=$PATH:/usr/sbin:/sbin

marked() {
  local file pid
  for file in $(grep -lsza "^WM_TEST_RUN=$folder\$" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}
    pid=${pid%/environ}
    # Not this script, what called it, or what it just started.
    [ "$pid" = $$ ] || [ "$pid" = "$PPID" ] || grep -qs "^PPid:\s*\($$\|$PPID\)$" "/proc/$pid/status" || echo "$pid"
  done
}
for _ in 1 2 3 4 5 6 7 8 9 10; do
  pids=$(marked)
  [ -z "$pids" ] && break
  # shellcheck disable=SC2086
  kill -9 $pids 2>/dev/null
  sleep 0.1
done

for link in /sys/class/net/wm*; do
  [ -e "$link/bridge" ] || continue
  case $(cat "$link/ifalias" 2>/dev/null) in "$folder"/*) ;; *) continue ;; esac
  bridge=${link##*/}
  for space in /run/netns/"$bridge"n*; do
    [ -e "$space" ] || continue
    ip link del "${space##*/}" 2>/dev/null
    ip netns del "${space##*/}"
  done
  ip link del "$bridge"
  nft delete table bridge "$bridge" 2>/dev/null
done
exit 0
