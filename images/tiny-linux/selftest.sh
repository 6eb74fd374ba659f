#!/bin/bash
# selftest.sh [WORKDIR] - for developers: builds tiny-linux, boots it under TCG and measures and checks it. About 1 minute.
# RUNS=5 boots are timed. Needs qemu-system-x86_64, xorriso, ssh. What it starts it ends; WORKDIR is kept if given.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -ge 1 ]; then work=$1; mkdir -p "$work"; keep=1; else work=$(mktemp -d); keep=; fi
work=$(cd "$work" && pwd)
qemu='' failed=0 rows=''
cleanup() { [ -z "$qemu" ] || kill -9 "$qemu" 2>/dev/null || true; [ -n "$keep" ] || rm -rf "$work"; }
trap cleanup EXIT
row() { rows+="$(printf '%-34s %s' "$1" "$2")"$'\n'; case $2 in FAIL*) failed=1 ;; esac; }
check() { local name=$1; shift; if "$@"; then row "$name" ok; else row "$name" FAIL; fi; }

out=$work/image
"$here/build.sh" "$out"
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" "$out/image.json"; }

cd "$work"
rm -rf seed hostkey* userkey* known_hosts
mkdir seed
ssh-keygen -q -t ed25519 -N '' -f hostkey
ssh-keygen -q -t ed25519 -N '' -C 'anna: "tester" #1' -f userkey
printf 'instance-id: i-1\nlocal-hostname: vm1\n' >seed/meta-data
{
    printf '#cloud-config\nssh_authorized_keys:\n  - "%s"\n' "$(sed 's/["\\]/\\&/g' userkey.pub)"
    printf 'ssh_keys:\n  ed25519_private: |\n'
    sed 's/^/    /' hostkey
    printf 'webmanager:\n  beat: "on"\n'
} >seed/user-data
cat >seed/network-config <<'EOF'
version: 2
ethernets:
  eth0:
    match:
      macaddress: "52:54:00:AA:00:01"
    addresses: [10.0.2.15/24]
    gateway4: 10.0.2.2
    nameservers:
      addresses: [10.0.2.3]
EOF
xorriso -as mkisofs -quiet -V cidata -J -R -o seed.iso seed 2>/dev/null
rm -f disk.raw; truncate -s 64M disk.raw
port=$((20000 + RANDOM % 10000))

start() { # [QEMU ARGUMENT...]
    rm -f mon.in mon.out serial.in; mkfifo mon.in mon.out serial.in
    exec 6<>serial.in 7<>mon.in 8<>mon.out
    : >log
    began=$EPOCHREALTIME
    qemu-system-x86_64 -nodefaults -no-user-config -display none \
        -machine q35,smm=off,hpet=off,sata=off,usb=off,smbus=off,vmport=off -accel tcg,tb-size=32 -cpu qemu64,+rdrand \
        -smp 1 -m 96 -kernel "$out/$(field kernel)" -initrd "$out/$(field initrd)" -append "$(field append)" \
        -blockdev driver=file,node-name=d0f,filename=disk.raw -blockdev driver=raw,node-name=d0,file=d0f \
        -device virtio-blk-pci,drive=d0,werror=report,rerror=report \
        -blockdev driver=file,node-name=s0f,filename=seed.iso,read-only=on -blockdev driver=raw,node-name=s0,file=s0f,read-only=on \
        -device virtio-blk-pci,drive=s0 \
        -netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n0,mac=52:54:00:aa:00:01,romfile= \
        -chardev pipe,id=mon,path=mon -mon chardev=mon,mode=readline -serial stdio "$@" \
        <&6 2>qemu.err > >(while IFS= read -r l; do echo "$EPOCHREALTIME ${l%$'\r'}"; done >log) &
    qemu=$!
}
stop() { kill -9 "$qemu" 2>/dev/null || true; wait "$qemu" 2>/dev/null || true; qemu=''; sleep 0.2; }
seen() { # REGEX SECONDS
    local end=$((SECONDS + $2))
    until grep -aqE "$1" log; do [ $SECONDS -le $end ] && kill -0 "$qemu" 2>/dev/null || return 1; sleep 0.05; done
}
gone() { local end=$((SECONDS + $1)); while kill -0 "$qemu" 2>/dev/null; do [ $SECONDS -le $end ] || return 1; sleep 0.02; done; }
since() { awk -v a="$began" -v re="$1" '$0 ~ re {printf "%.2f", $1 - a; exit}' log; }
lastbeat() { grep -aoE 'beat [0-9]+$' log | tail -1 | cut -d' ' -f2; }
remote() {
    timeout 30 ssh -q -i userkey -p "$port" -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=known_hosts \
        -o ConnectTimeout=20 root@127.0.0.1 "$@"
}
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 hostkey.pub)" >known_hosts

# Timed boots. Each ends by SIGKILL while beat writes: what was said must be there at the next start.
firsts='' readys='' lost=0 said=0
for ((i = 1; i <= ${RUNS:-5}; i++)); do
    start
    seen 'ready: vm1 10.0.2.15' 30 || { row "boot $i" "FAIL: $(tail -3 log; cat qemu.err)"; stop; continue; }
    firsts+="$(since 'init: tiny-linux up') " readys+="$(since 'ready: ') "
    resumed=$(grep -aoE 'resume [0-9]+' log | head -1 | cut -d' ' -f2)
    [ "${resumed:-0}" -ge "$said" ] || lost=1
    sleep 2
    stop
    said=$(lastbeat); said=${said:-0}
done
row 'exec to first line of init (s)' "$firsts"
row 'exec to ready (s)' "$readys"
check "no said record lost (last $said)" [ $lost = 0 ]

start
seen 'beat [0-9]' 30 || true
seen 'ready: ' 30 || true
check 'ssh with key, host key of the seed' [ "$(remote hostname)" = vm1 ]
check 'beat --check' eval 'remote beat --check | tee check.out | grep -q "whole and in sequence"'
row 'beat --check says' "$(tail -1 check.out)"
timeout 1 cat <&8 >mon.txt || true
echo 'info blockstats' >&7
timeout 1 cat <&8 >mon.txt || true
row 'flushes that reached QEMU' "$(tr -d '\r' <mon.txt | grep -aoE 'wr_operations=[0-9]+|flush_operations=[0-9]+' | head -2 | tr '\n' ' ')beats: $(grep -acE 'beat [0-9]+$' log)"
printf 'echo $((6*7))x; tty; sleep 77 & jobs\n' >&6
check 'serial shell with job control' eval "seen '42x' 5 && seen '/dev/ttyS0' 5 && seen 'sleep 77' 5"
t=$EPOCHREALTIME
echo system_powerdown >&7
if gone 5; then row 'ACPI power button to exit (s)' "$(awk -v a="$t" -v b="$EPOCHREALTIME" 'BEGIN{printf "%.2f", b-a}')"; else row 'ACPI power button' FAIL; fi
stop

start
seen 'ready: ' 30 || true
remote reboot || true
sleep 1
check 'reboot comes up again' eval 'for k in $(seq 100); do [ "$(grep -ac "init: tiny-linux up" log)" -ge 2 ] && break; sleep 0.1; done; [ "$(grep -ac "init: tiny-linux up" log)" -ge 2 ]'
stop
echo
printf '%s' "$rows"
exit $failed
