#!/bin/sh
# run.sh [ARG...]: opens the terminal on the simulated market; without a display it runs the same market headless.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*"; }
has_display() {
    case "$(uname -s)" in
        Linux | *BSD) [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ] ;;
        *) true ;;
    esac
}
sh scripts/setup.sh app
if has_display; then
    sh scripts/system_libs.sh window
    exec .venv/bin/python main.py gui --demo "$@"
fi
say "No display here: running the same demo without a window. Ctrl-C stops it."
exec .venv/bin/python main.py run --demo "$@"
