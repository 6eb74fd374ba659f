#!/bin/bash
# build.sh OUTDIR - builds the image tiny-linux (kernel, initrd, image.json) from Debian packages. Needs no root.
# Packages that are not installed are downloaded with apt-get download and unpacked into a temporary directory.
# Nothing is done when OUTDIR is up to date. CACHE=DIR keeps downloaded packages.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] || { echo "usage: build.sh OUTDIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)

inputs=(build.sh init setup yaml.sh udhcpc beat record.c append)
complete() { [ -s "$out/vmlinux" ] && [ -s "$out/vmlinuz" ] && [ -s "$out/initrd" ] && [ -s "$out/image.json" ]; }
# Asking apt takes seconds, so it is asked only after its lists or the inputs have changed.
stamp=$( (cd "$here" && sha256sum "${inputs[@]}"; stat -c %Y /var/lib/apt/lists /var/lib/dpkg/status 2>/dev/null) | sha256sum)
if complete && [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "tiny-linux is up to date in $out"
    exit 0
fi
# The version covers the inputs and the packages that the parts come from.
kernel_package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image-/{print $2; exit}')
if [ -z "$kernel_package" ]; then
    [ -f "$out/image.json" ] && { echo "tiny-linux: apt knows no kernel; keeping $out as it is"; exit 0; }
    echo "tiny-linux: apt knows no linux-image-cloud-amd64: run apt-get update" >&2
    exit 1
fi
parts=$(apt-cache show --no-all-versions "$kernel_package" busybox-static dropbear-bin coreutils tcc | sed -n 's/^Package: //p; s/^Version: //p' | paste -d' ' - - | sort)
version=$( (cd "$here" && sha256sum "${inputs[@]}"; echo "$parts") | sha256sum | cut -c1-16)
if complete && grep -q "\"version\":\"$version\"" "$out/image.json"; then
    echo "$stamp" >"$out/.stamp"
    echo "tiny-linux $version is up to date in $out"
    exit 0
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cache=${CACHE:-$tmp/cache}
mkdir -p "$cache"
# unpack PACKAGE DIR: the package's files, downloaded when the cache has none
unpack() {
    local v f
    v=$(apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p' | head -1)
    f=$(ls "$cache/$1_${v//:/%3a}_"*.deb 2>/dev/null | head -1 || true)
    if [ -z "$f" ]; then
        (cd "$cache" && apt-get download -o APT::Sandbox::User= "$1" >"$tmp/apt.log" 2>&1) || { cat "$tmp/apt.log" >&2; return 1; }
        f=$(ls -t "$cache/$1_"*.deb | head -1)
    fi
    dpkg-deb -x "$f" "$2"
}

echo "tiny-linux: building $version from" $parts
unpack "$kernel_package" "$tmp/kernel"
bb=$(command -v busybox || true)
if [ -z "$bb" ] || ldd "$bb" >/dev/null 2>&1; then unpack busybox-static "$tmp/bb"; bb=$tmp/bb/bin/busybox; fi
if [ -x /usr/sbin/dropbear ] && [ -x /usr/bin/dropbearkey ] && [ -x /usr/bin/dropbearconvert ]; then dropbear=/usr
else
    dropbear=$tmp/ssh/usr
    unpack dropbear-bin "$tmp/ssh"
    for p in libtomcrypt1 libtommath1 zlib1g libcrypt1 libgmp10 libc6; do unpack "$p" "$tmp/ssh"; done
fi

root=$tmp/root
mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,root,lib/modules,lib64,usr/bin,usr/sbin,sbin,etc/tiny,etc/dropbear}
install -m755 "$bb" "$root/bin/busybox"
for a in $("$bb" --list); do [ "$a" = busybox ] || ln -s busybox "$root/bin/$a"; done
install -m755 "$here/init" "$root/init"
install -m755 "$here/setup" "$here/udhcpc" "$root/etc/tiny/"
install -m644 "$here/yaml.sh" "$root/etc/tiny/"
install -m755 "$here/beat" "$root/usr/bin/beat"
unpack tcc "$tmp/tcc"
"$tmp/tcc/usr/bin/tcc" -nostdlib -static -B"$tmp/tcc/usr/lib/x86_64-linux-gnu/tcc" -o "$root/usr/bin/record" "$here/record.c"
# busybox's dd has no oflag=dsync, which is how the cost of a flushed write is measured; its libraries are dropbear's.
install -m755 /bin/dd "$root/usr/bin/gnu-dd"

install -m755 "$dropbear/sbin/dropbear" "$root/usr/sbin/"
install -m755 "$dropbear/bin/dropbearkey" "$dropbear/bin/dropbearconvert" "$root/usr/bin/"
libs=$(LD_LIBRARY_PATH=$( [ "$dropbear" = /usr ] || echo "$tmp/ssh/usr/lib/x86_64-linux-gnu:$tmp/ssh/lib/x86_64-linux-gnu") \
    ldd "$root/usr/sbin/dropbear" "$root/usr/bin/dropbearkey" "$root/usr/bin/dropbearconvert" |
    awk '/=> \//{print $3} $1 ~ /^\/.*ld-linux/{print $1}' | sort -u)
for l in $libs; do
    case $l in */ld-linux*) install -m755 "$l" "$root/lib64/" ;; *) install -m644 "$l" "$root/lib/" ;; esac
done

# Kernel modules, in the order in which they are loaded; dependencies first.
modules=$(echo "$tmp"/kernel/lib/modules/*/kernel)
declare -A have=()
add() { # LIST MODULE
    local f d
    [ -z "${have[$2]:-}" ] || return 0
    have[$2]=1
    f=$(find "$modules" -name "${2//_/[_-]}.ko" | head -1)
    [ -n "$f" ] || { echo "tiny-linux: no module $2" >&2; return 0; } # built into the kernel or gone
    d=$(tr '\0' '\n' <"$f" | sed -n 's/^depends=//p' | head -1)
    for d in ${d//,/ }; do add "$1" "$d"; done
    install -m644 "$f" "$root/lib/modules/$2.ko"
    echo "$2" >>"$root/etc/tiny/modules.$1"
}
for m in virtio_pci virtio_blk isofs; do add disk "$m"; done
for m in virtio_net; do add net "$m"; done
for m in button evdev; do add power "$m"; done
# pvpanic: a kernel panic becomes an event of QEMU, not just a reboot.
for m in virtio_rng virtio_balloon pvpanic_mmio; do add extra "$m"; done

echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:*:19000:0:99999:7:::' >"$root/etc/shadow"
printf 'root:x:0:\ntty:x:5:\n' >"$root/etc/group"
printf '/bin/sh\n' >"$root/etc/shells"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
cat >"$root/etc/profile" <<'EOF'
export PATH=/usr/bin:/bin:/usr/sbin:/sbin PS1='\h:\w# '
EOF
echo "tiny-linux $version" >"$root/etc/issue"
chmod 700 "$root/root"

# Uncompressed: under TCG the guest's decompression takes longer than the loading of a few MiB.
(cd "$root" && find . -exec touch -h -d @0 {} + && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$tmp/initrd"

# The kernel as an ELF file: QEMU starts it by PVH and the guest does not decompress it (0.4 s under TCG).
zimage=$(echo "$tmp"/kernel/boot/vmlinuz-*)
offset=$(grep -obUaP -m1 '\x02\x21\x4c\x18' "$zimage" | head -1 | cut -d: -f1)
kernel=vmlinuz
lz4=$(command -v lz4 || true)
if [ -z "$lz4" ]; then
    unpack lz4 "$tmp/lz4" && unpack liblz4-1 "$tmp/lz4" && lz4="$tmp/lz4/usr/bin/lz4"
fi
if [ -n "$offset" ] && [ -n "$lz4" ]; then
    # The bytes behind the packed kernel are not lz4: the error about them is expected, the result is checked instead.
    tail -c +$((offset + 1)) "$zimage" | LD_LIBRARY_PATH="$tmp/lz4/usr/lib/x86_64-linux-gnu" "$lz4" -d -c -q >"$tmp/vmlinux" 2>/dev/null || true
    [ "$(head -c 4 "$tmp/vmlinux" | tail -c 3)" = ELF ] && [ "$(stat -c %s "$tmp/vmlinux")" -gt 20000000 ] && kernel=vmlinux
fi
[ $kernel = vmlinux ] || { echo "tiny-linux: the kernel could not be unpacked and stays compressed: boots 0.4 s slower" >&2; echo - >"$tmp/vmlinux"; }

rm -f "$out/image.json"
install -m644 "$zimage" "$out/vmlinuz"
install -m644 "$tmp/vmlinux" "$out/vmlinux"
install -m644 "$tmp/initrd" "$out/initrd"
append=$(grep -v '^#' "$here/append" | tr '\n' ' ' | sed 's/  */ /g; s/^ //; s/ $//')
printf '{"name":"tiny-linux","description":"%s","kernel":"%s","kernelVga":"vmlinuz","initrd":"initrd","append":"%s","minMemoryMiB":%d,"osparams":["beat"],"version":"%s"}\n' \
    "Small Linux (Debian kernel, BusyBox, SSH): boots in about 1.5 s without KVM" "$kernel" "$append" 96 "$version" >"$tmp/image.json"
install -m644 "$tmp/image.json" "$out/.image.json.new"
mv "$out/.image.json.new" "$out/image.json" # last: its version says that all is there
echo "$stamp" >"$out/.stamp"
echo "tiny-linux $version is in $out: initrd $(($(stat -c %s "$out/initrd") / 1024)) KiB, kernel $kernel"
