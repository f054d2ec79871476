#!/bin/sh
# system_libs.sh window|offscreen|tests: makes sure the C libraries and programs Qt needs are on this Linux machine.
# macOS and Windows bring them along.
set -eu
cd "$(dirname "$0")/.."
what=${1:-window}
[ "$(uname -s)" = Linux ] || exit 0

# Library file and the Debian package that brings it.
offscreen="libglib-2.0.so.0=libglib2.0-0 libEGL.so.1=libegl1 libGL.so.1=libgl1 libxkbcommon.so.0=libxkbcommon0
    libdbus-1.so.3=libdbus-1-3 libfontconfig.so.1=libfontconfig1 libbrotlidec.so.1=libbrotli1"
window="$offscreen libxcb-cursor.so.0=libxcb-cursor0 libxkbcommon-x11.so.0=libxkbcommon-x11-0
    libxcb-icccm.so.4=libxcb-icccm4 libxcb-keysyms.so.1=libxcb-keysyms1 libxcb-shape.so.0=libxcb-shape0
    libX11-xcb.so.1=libx11-xcb1 libwayland-cursor.so.0=libwayland-cursor0"
case "$what" in
    offscreen) libraries=$offscreen programs="" ;;
    window) libraries=$window programs="" ;;
    tests) libraries=$window programs="Xvfb=xvfb xauth=xauth" ;;
    *) printf 'usage: scripts/system_libs.sh window|offscreen|tests\n'; exit 2 ;;
esac

# The loader itself is asked, so that libraries in unusual places count too.
# shellcheck disable=SC2086  # the lists are split on purpose
missing=$(.venv/bin/python - $libraries <<'PY'
import ctypes
import sys

for pair in sys.argv[1:]:
    library, package = pair.split("=")
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PY
)
for pair in $programs; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair##*=}"
done
# Text needs one font; fontconfig's package brings DejaVu, a bare system may have none.
if [ -z "$(find /usr/share/fonts /usr/local/share/fonts "${HOME:-/root}/.fonts" "${HOME:-/root}/.local/share/fonts" \
    -name '*.[to]tf' -print 2>/dev/null | head -n 1)" ]; then
    missing="$missing fonts-dejavu-core"
fi
[ -n "$(printf '%s' "$missing" | tr -d ' \n')" ] || exit 0
# shellcheck disable=SC2086
sh scripts/apt.sh "for the window" $missing
