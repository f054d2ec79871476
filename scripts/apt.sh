#!/bin/sh
# apt.sh REASON PACKAGE...: installs Debian packages when it may, else prints the command and fails.
set -eu
reason=$1; shift
say() { printf '%s\n' "$*"; }
if ! command -v apt-get >/dev/null 2>&1; then
    say "These system packages are missing $reason (Debian's names): $*"
    say "Please install your system's equivalents and run the same command again."
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    say "These system packages are missing $reason. Please run:"
    say "  sudo apt-get update && sudo apt-get install --no-install-recommends $*"
    exit 1
fi
say "Installing system packages $reason: $*"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    # shellcheck disable=SC2086  # an empty $as_root must vanish
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >"$log" 2>&1 </dev/null
}
# The package lists may be absent or old: try, refresh, try again.
# shellcheck disable=SC2086
if ! install "$@" && { $as_root apt-get update -q >"$log" 2>&1 || true; ! install "$@"; }; then
    tail -n 12 "$log"
    say "apt-get could not install: $*"
    exit 1
fi
