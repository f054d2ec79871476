#!/bin/sh
# setup.sh app|dev: makes .venv from the hashed lock. Does nothing when .venv already holds that lock.
set -eu
cd "$(dirname "$0")/.."
what=${1:-app}
case "$what" in
    app | dev) ;;
    *) printf 'usage: scripts/setup.sh app|dev\n'; exit 2 ;;
esac
lock=requirements/$what.txt
venv=.venv
say() { printf '%s\n' "$*"; }

# The engine's kernels become machine code on first use, which its first start would spend half a minute and more on.
# They are compiled here, by a second of the demo, again when a source is newer than the stamp.
compile_kernels() {
    stamp=$venv/kernels-compiled
    if [ -f "$stamp" ] && [ -z "$(find engine/features engine/simulation -name '*.py' -newer "$stamp" | head -n 1)" ]; then
        return 0
    fi
    say "Compiling the numeric kernels for this machine (once, up to a minute or two)"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"; exit 130' INT TERM
    if $venv/bin/python main.py run --demo --for 1 --speed max --quiet --profile "$scratch" >"$venv/kernels.log" 2>&1; then
        touch "$stamp"
    else
        say "That did not work ($venv/kernels.log); the engine's first start does it instead."
    fi
    rm -rf "$scratch"
    trap - INT TERM
}

# A stamp is the lock it was made from: equal bytes, nothing to install.
if [ -x $venv/bin/python ] && cmp -s "$lock" "$venv/lock-$what.txt" && $venv/bin/python -c '' 2>/dev/null; then
    [ "$what" = dev ] || compile_kernels
    exit 0
fi

suitable() {  # a Python 3.11 to 3.13 that runs (a version manager's stub may exist and refuse)
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}
find_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        if command -v "$name" >/dev/null 2>&1 && suitable "$name"; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}
if ! [ -x $venv/bin/python ] || ! suitable $venv/bin/python; then
    python=$(find_python) || {
        say "Market Agent needs Python 3.11, 3.12 or 3.13, and found none (${PYTHON:-python3.13 ... python3})."
        say "Debian and Ubuntu: apt-get install python3 python3-venv. Elsewhere: python.org/downloads"
        exit 1
    }
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        sh scripts/apt.sh "to make a virtual environment" "$version-venv"
    fi
    say "Making .venv with $("$python" -V)"
    "$python" -m venv --clear $venv
fi
if ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    $venv/bin/python -m ensurepip --upgrade >/dev/null
fi

count=$(grep -c '^[a-z0-9]' "$lock")
say "Installing $count packages (about 300 MB to fetch the first time, a minute or two)"
log=$venv/setup.log
# The lock is complete and resolved: --no-deps spares pip the search, the hashes prove every file, and only ready-built
# wheels are taken, so nothing of a package runs while it is installed.
PYTHONUNBUFFERED=1 $venv/bin/python -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes \
    --only-binary :all: --progress-bar off --requirement "$lock" >"$log" 2>&1 &
pip=$!
trap 'kill $pip 2>/dev/null; exit 130' INT TERM
if [ -t 1 ]; then
    while kill -0 $pip 2>/dev/null; do
        done=$(grep -c -E '^(Collecting|Requirement already)' "$log" || true)
        if grep -q '^Installing collected' "$log"; then note="unpacking"; else note="$done of $count"; fi
        printf '\r  %s   ' "$note"
        sleep 1
    done
    printf '\r                    \r'
fi
if ! wait $pip; then
    say "The installation did not finish. The last lines of $log:"
    tail -n 8 "$log"
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        say "A package is not the one the lock promises; it was not installed."
    else
        say "Is the package index reachable? Run the same command again to go on."
    fi
    exit 1
fi
trap - INT TERM
cp "$lock" "$venv/lock-$what.txt"
# The development lock holds every package of the app lock in the same version.
[ "$what" = app ] || cp requirements/app.txt $venv/lock-app.txt
[ "$what" = dev ] || compile_kernels
say "Ready."
