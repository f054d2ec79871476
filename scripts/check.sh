#!/bin/sh
# Every rule a machine can hold; runs them all and fails if any failed.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
failed=""
step() {  # step NAME COMMAND...
    name=$1; shift
    if output=$("$@" 2>&1); then
        printf '  ok    %s\n' "$name"
    else
        printf '  FAIL  %s\n%s\n' "$name" "$output"
        failed="$failed [$name]"
    fi
}
typed=""
for folder in engine config; do [ -d $folder ] && typed="$typed $folder"; done

step "ruff: lint" $python -m ruff check .
step "ruff: format" $python -m ruff format --check .
# shellcheck disable=SC2086  # a list of folders
step "mypy: strict types" $python -m mypy --strict $typed
step "import rules" .venv/bin/lint-imports
step "static gates" env QT_QPA_PLATFORM=offscreen $python -m pytest -q -p no:cacheprovider tests/static
[ -z "$failed" ] || { printf 'Failed:%s\n' "$failed"; exit 1; }
