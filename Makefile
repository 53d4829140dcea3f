# Every target sets up what is missing, then runs. Without make: python3 -m bootstrap TARGET does the same.
PYTHON ?= python3
BOOTSTRAP := $(PYTHON) -m bootstrap
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup engine images drill test test-quick test-thorough check bench load clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf " %-14s %s\n", $$1, $$2 }'

setup: ## make the environment (.venv), and Toxiproxy where it is missing
	@$(BOOTSTRAP) setup

engine: ## see to it that a Docker engine answers (installs Debian's own, as root)
	@$(BOOTSTRAP) engine

images: ## build the images that are missing or older than their sources
	@$(BOOTSTRAP) images build $(ARGS)

drill: ## run the drills (or those of SCENARIO="backend-down …") and judge them
	@$(BOOTSTRAP) drill $(SCENARIO) $(ARGS)

test: ## run every test (ARGS="tests/runtime -k reaper" for some)
	@$(BOOTSTRAP) test $(ARGS)

test-quick: ## run every test that starts no stack: no Airflow, no containers
	@$(BOOTSTRAP) test-quick $(ARGS)

test-thorough: ## run every test, those that have one in their long variant
	@$(BOOTSTRAP) test-thorough $(ARGS)

check: ## lint, formatting, types and layers
	@$(BOOTSTRAP) check

bench: ## measure boot, reset, run and fault times
	@$(BOOTSTRAP) bench $(ARGS)

load: ## trigger workflow runs one after the other
	@$(BOOTSTRAP) load $(ARGS)

clean: ## remove what dead drills left behind
	@$(BOOTSTRAP) clean $(ARGS)
