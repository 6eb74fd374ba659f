#!/usr/bin/env bash
# Installs what is missing on Debian, and only that: install.sh run|test. What cannot be installed is said; the caller goes on with what works.
set -uo pipefail
export PATH=$PATH:/usr/sbin:/sbin

# program=package (a name with .so in it is a library), for the portal with its lab
run=(libldap-2.5.so.0=libldap-2.5-0 qemu-system-x86_64=qemu-system-x86 qemu-img=qemu-utils ip=iproute2 nft=nftables busybox=busybox-static cpio=cpio lz4=lz4 curl=curl node=nodejs npm=npm)
# and for the tests besides
test=(chromium=chromium ssh=openssh-client dropbearconvert=dropbear-bin slapd=slapd ldapmodify=ldap-utils hbal=ganeti-htools)
# Python modules for them, which no program stands for: Ganeti's own client.
modules=(python3-ganeti-rapi)

wanted=("${run[@]}")
[ "${1:-run}" = test ] && wanted+=("${test[@]}")

there() { case $1 in *.so*) [[ $(ldconfig -p) == *"$1 "* ]] ;; *) command -v "$1" >/dev/null ;; esac; }
missing() {
  for pair in "${wanted[@]}"; do there "${pair%%=*}" || echo "${pair#*=}"; done
  [ "${wanted[*]}" = "${run[*]}" ] || for package in "${modules[@]}"; do dpkg -s "$package" 2>/dev/null | grep -q '^Status: .* installed' || echo "$package"; done
}

if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
  echo "The .NET 10 SDK is missing (the command dotnet). Install it first; nothing here can be built without it." >&2
  exit 1
fi

mapfile -t packages < <(missing)
[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root=(sudo)
  else
    echo "Missing: ${packages[*]}. Installing them needs root: apt-get install ${packages[*]}" >&2
    exit 0
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "Missing: ${packages[*]}. This is no Debian; install them by hand." >&2
  exit 0
fi

apt() { DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing ${packages[*]} ..."
# The tests start a slapd of their own; unconfigured Debian starts none.
case " ${packages[*]} " in *" slapd "*) echo "slapd slapd/no_configuration boolean true" | "${as_root[@]}" debconf-set-selections 2>/dev/null ;; esac
apt update >"$log" 2>&1 || { echo "apt-get update failed:" >&2; tail -3 "$log" >&2; }
if ! apt install --no-install-recommends -y "${packages[@]}" >"$log" 2>&1; then
  # One that is not to be had must not keep the others away.
  for package in "${packages[@]}"; do apt install --no-install-recommends -y "$package" >"$log" 2>&1 || { echo "Could not install $package:" >&2; tail -2 "$log" >&2; }; done
fi
mapfile -t packages < <(missing)
[ ${#packages[@]} -eq 0 ] || echo "Still missing: ${packages[*]}. Going on without; what needs them says so." >&2
exit 0
