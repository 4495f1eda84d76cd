#!/usr/bin/env bash
# nats-server.sh 2.15 | 2.10 | 2.9: prints the path of an official nats-server of that line.
#
# NATS_SERVER_2_15, NATS_SERVER_2_10 and NATS_SERVER_2_9 name a binary to use instead. Without them
# the Debian package of that line is fetched from the mirror that this machine's apt sources name,
# checked against the mirror's index, and unpacked into a cache folder. Nothing is installed.
set -euo pipefail

fail() {
  echo "nats-server.sh: $*" >&2
  exit 1
}

case ${1:-} in
  2.15) suite=sid ;;
  2.10) suite=trixie ;;
  2.9) suite=bookworm ;;
  *)
    echo "usage: nats-server.sh 2.15|2.10|2.9" >&2
    exit 2
    ;;
esac

variable=NATS_SERVER_${1//./_}
if [ -n "${!variable:-}" ]; then
  [ -x "${!variable}" ] || fail "$variable is not an executable file: ${!variable}"
  echo "${!variable}"
  exit
fi

folder=${XDG_CACHE_HOME:-$HOME/.cache}/nats-server/$1
binary=$folder/usr/sbin/nats-server

if [ ! -x "$binary" ]; then
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null | awk '
    /^[[:space:]]*#/ { next }
    { for (i = 1; i <= NF; i++) if ($i ~ /^https?:.*\/debian\/?$/) { sub(/\/$/, "", $i); print $i; exit } }
  ' || true)
  [ -n "$mirror" ] || fail "no Debian mirror in the apt sources"
  architecture=$(dpkg --print-architecture)

  mkdir -p "$(dirname "$folder")"
  scratch=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  read -r file digest < <(
    curl -fsS --connect-timeout 10 -m 120 "$mirror/dists/$suite/main/binary-$architecture/Packages.xz" | xz -dc | awk '
      /^Package: / { wanted = $2 == "nats-server" }
      wanted && /^Filename: / { file = $2 }
      wanted && /^SHA256: / { digest = $2 }
      END { print file, digest }
    '
  )
  [ -n "$file" ] && [ -n "$digest" ] || fail "$mirror has no nats-server package in $suite"
  curl -fsS --connect-timeout 10 -m 120 -o "$scratch/package.deb" "$mirror/$file"
  echo "$digest  $scratch/package.deb" | sha256sum -c --quiet - >&2 || fail "$file is damaged"
  dpkg-deb -x "$scratch/package.deb" "$scratch/unpacked"
  # A rename, so that two runs at once never see half a folder; the later one keeps the first's.
  mv -T "$scratch/unpacked" "$folder" 2>/dev/null || [ -x "$binary" ] || fail "cannot write $folder"
fi
"$binary" --version >&2
echo "$binary"
