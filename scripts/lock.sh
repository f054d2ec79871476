#!/bin/sh
# Resolves pyproject.toml into the hashed locks requirements/app.txt and dev.txt, bench-peers.in into bench-peers.txt.
# One version per package for Python 3.11 to 3.13 and every system. Releases younger than a week are left out:
# a hijacked release is usually found and withdrawn within days.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*"; }

uv=$(command -v uv || true)
[ -n "$uv" ] || uv=.venv/bin/uv
if [ ! -x "$uv" ]; then
    [ -x .venv/bin/python ] || { say "Run 'make setup' first."; exit 1; }
    .venv/bin/python -m pip install --quiet uv
fi
before=$(.venv/bin/python -c 'import datetime as d; print((d.datetime.now(d.UTC) - d.timedelta(days=7)).date())')

resolve() {  # resolve OUTPUT INPUT [OPTION...]
    output=$1; shift
    "$uv" pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
        --exclude-newer "$before" --output-file "$output" "$@"
    say "$output: $(grep -c '^[a-z0-9]' "$output") packages"
}
mkdir -p requirements
case "${1:-}" in
    "") upgrade="" ;;
    --upgrade) upgrade="--upgrade" ;;
    *) say "usage: scripts/lock.sh [--upgrade]"; exit 2 ;;
esac
# shellcheck disable=SC2086  # an empty $upgrade must vanish
resolve requirements/app.txt pyproject.toml --universal --fork-strategy fewest $upgrade
# The same versions as the app, so that tests run what users run.
# shellcheck disable=SC2086
resolve requirements/dev.txt pyproject.toml --universal --fork-strategy fewest $upgrade \
    --extra dev --constraint requirements/app.txt
# What the benchmarks compare with: for this machine's kind alone.
# shellcheck disable=SC2086
resolve requirements/bench-peers.txt requirements/bench-peers.in --only-binary :all: $upgrade
