#!/bin/sh
# bench.sh [--peers] [NAME...]: runs tests/benchmarks/bench_NAME.py (all without a name), each as its own process.
# --peers lets each compare with the products locked in requirements/bench-peers.txt, installed apart in .bench-peers
# because their pins would fight with ours.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*"; }
peer_option=""
if [ "${1:-}" = --peers ]; then
    shift
    lock=requirements/bench-peers.txt
    [ -f $lock ] || { say "$lock does not exist: no peers are locked."; exit 1; }
    if ! cmp -s $lock .bench-peers/lock.txt; then
        say "Installing the peers into .bench-peers"
        .venv/bin/python -m venv --clear .bench-peers
        .bench-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary :all: -r $lock
        cp $lock .bench-peers/lock.txt
    fi
    peer_option="--peer .bench-peers/bin/python"
fi
[ $# -gt 0 ] || set -- $(find tests/benchmarks -name 'bench_*.py' 2>/dev/null | sed 's|.*/bench_||; s|\.py$||' | sort)
[ $# -gt 0 ] || { say "There are no benchmarks in tests/benchmarks."; exit 1; }
for name in "$@"; do
    [ -f "tests/benchmarks/bench_$name.py" ] || { say "There is no benchmark called $name."; exit 2; }
    say "== $name"
    # shellcheck disable=SC2086  # an empty option must vanish
    QT_QPA_PLATFORM=${QT_QPA_PLATFORM:-offscreen} PYTHONPATH=. .venv/bin/python "tests/benchmarks/bench_$name.py" $peer_option
done
