#!/usr/bin/env bash
# The browser of the console's tests: `install.sh install` has Debian's Chromium, by apt-get where that is possible, and
# says in a line what to install where it is not. `VAGLIO_CHROMIUM=/path/to/one` names another. Nothing is downloaded from
# anywhere but the system's own package source.
set -euo pipefail

case "${1:-}" in
install)
  browser=${VAGLIO_CHROMIUM:-/usr/bin/chromium}
  [ -x "$browser" ] && exit 0
  if [ -n "${VAGLIO_CHROMIUM:-}" ]; then
    echo "VAGLIO_CHROMIUM=$browser is no program" >&2
    exit 1
  fi
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || { echo "install Chromium (apt-get install chromium), or set VAGLIO_CHROMIUM" >&2; exit 1; }
    as_root=(sudo -n)
  fi
  command -v apt-get >/dev/null || { echo "install Chromium, and set VAGLIO_CHROMIUM to its path" >&2; exit 1; }
  install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium)
  "${install[@]}" >/dev/null || { "${as_root[@]}" apt-get update >/dev/null && "${install[@]}" >/dev/null; }
  [ -x "$browser" ] || { echo "apt-get installed no $browser; set VAGLIO_CHROMIUM to the browser's path" >&2; exit 1; }
  ;;
*)
  echo "usage: $0 install" >&2
  exit 2
  ;;
esac
