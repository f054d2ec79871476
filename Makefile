# The one list of commands. `make` alone shows it.
.POSIX:
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run app test test-long check format docs bench bench-peers lock clean

PYTHON_IN_VENV = .venv/bin/python
PYTEST = QT_QPA_PLATFORM=offscreen $(PYTHON_IN_VENV) -m pytest
# For two cores; `make test WORKERS=0` runs in one process.
WORKERS = 2
ARGS =

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: ## .venv from the hashed lock; instant when it is current
	@sh scripts/setup.sh app

setup-dev:
	@sh scripts/setup.sh dev

run: ## open the terminal on the simulated market (ARGS="--profile DIR ...")
	@sh scripts/run.sh $(ARGS)

app: ## put the terminal into the desktop's menu, to start with a click (ARGS=--remove takes it out)
	@sh scripts/launcher.sh $(ARGS)

test: setup-dev ## the whole quick suite (ARGS="-k name")
	@sh scripts/system_libs.sh tests
	@$(PYTEST) -n $(WORKERS) --dist loadfile $(ARGS)

test-long: setup-dev ## the campaigns: many seeds, every failpoint
	@sh scripts/system_libs.sh tests
	@$(PYTEST) -n $(WORKERS) --dist loadfile -m long $(ARGS)

check: setup-dev ## style, types, import rules, static gates
	@sh scripts/system_libs.sh offscreen
	@sh scripts/check.sh

format: setup-dev ## put the code into the house format
	@$(PYTHON_IN_VENV) -m ruff check --fix --quiet . ; $(PYTHON_IN_VENV) -m ruff format .

docs: setup-dev ## write docs/settings.md from the settings' declarations
	@$(PYTHON_IN_VENV) -m config.generate_docs docs/settings.md

bench: setup-dev ## our figures, each beside a naive peer (ARGS="chart features")
	@sh scripts/system_libs.sh offscreen
	@sh scripts/bench.sh $(ARGS)

bench-peers: setup-dev ## the same beside other products, from an environment of their own
	@sh scripts/system_libs.sh offscreen
	@sh scripts/bench.sh --peers $(ARGS)

lock: ## resolve the locks again (ARGS=--upgrade takes newer releases)
	@sh scripts/lock.sh $(ARGS)

clean: ## remove what was built; profiles and data stay
	@rm -rf .venv .bench-peers build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
