# The project's commands. `make demo` and `make zipapp` need Python 3.11 or newer and nothing else; the others make an
# environment of their own in .venv first, and need a package index for that, as pip is set up to find it.
# Another Python: make demo PYTHON=/path/to/python3.12. Other tests: make test TESTS=tests/server.

PYTHON ?=
TESTS ?=
QUICK ?=
ONLY ?=
# Tests run at once; most of them wait for most of their time, so they are three for each processor.
JOBS ?= $(shell expr 3 \* $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))
# Seconds after which the whole run of tests is ended, whatever still runs. Each test has its own limit besides.
TEST_SECONDS ?= 1500

FIND_PYTHON = sh tools/find_python.sh "$(PYTHON)"
ENVIRONMENT = python=$$($(FIND_PYTHON)) && "$$python" tools/environment.py
IN_ENVIRONMENT = .venv/bin/python -m

.PHONY: help demo test nightly lab check format changelog bench zipapp environment clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo       show what wirecat does, on this machine only (needs only Python 3.11 or newer)'
	@echo 'make test       run all tests in an environment of their own (TESTS=FOLDER runs some of them)'
	@echo 'make nightly    the property tests, with 100,000 examples each (TESTS=FOLDER: some of them), and transfers of 1 GiB,'
	@echo '                and recordings: 50 killed, 10,000 damaged'
	@echo 'make lab        wirecat reach and expose in every variant of a home network, made of namespaces (needs root)'
	@echo 'make check      style, types and the shape of the source: ruff, mypy, tests/architecture'
	@echo 'make format     put the source into its one form'
	@echo 'make changelog  show what the news fragments would say in the changelog'
	@echo 'make bench      measure it beside others, and write docs/benchmarks.md (QUICK=1: a short run; ONLY="echo swarm")'
	@echo 'make zipapp     make dist/wirecat.pyz: one file that runs where there is a Python 3.11 or newer'
	@echo 'make clean      remove what these commands have made'
	@echo 'PYTHON=/path/to/python3 picks another Python.'

demo:
	@python=$$($(FIND_PYTHON)) && PYTHONPATH=src "$$python" -m wirecat tour

test: environment
	$(IN_ENVIRONMENT) pytest -n $(JOBS) --dist loadgroup --session-timeout=$(TEST_SECONDS) $(TESTS)

# A test with 100,000 examples takes minutes: an hour is its limit here, and the run has none.
nightly: environment
	$(IN_ENVIRONMENT) pytest -n $(JOBS) -m hypothesis --hypothesis-profile=nightly --timeout=3600 $(TESTS)
	WIRECAT_BULK_MIB=1024 $(IN_ENVIRONMENT) pytest tests/cli/test_bulk.py
	WIRECAT_KILLS=50 WIRECAT_DAMAGED_FILES=10000 $(IN_ENVIRONMENT) pytest -s tests/recording/test_survival.py \
		tests/app/test_damaged_recordings.py

# The home network of tests/reach in every variant, and with ufw, firewalld and dbus where they are installed: needs root.
# What measures time against a promised limit runs after the rest, one test at a time.
lab: environment
	WIRECAT_LAB=1 $(IN_ENVIRONMENT) pytest -n $(JOBS) -m "not alone" tests/reach tests/port_mapping
	WIRECAT_LAB=1 $(IN_ENVIRONMENT) pytest -m alone tests/reach

check: environment
	$(IN_ENVIRONMENT) ruff check .
	$(IN_ENVIRONMENT) ruff format --check .
	$(IN_ENVIRONMENT) mypy --strict
	$(IN_ENVIRONMENT) pytest -q tests/architecture

format: environment
	$(IN_ENVIRONMENT) ruff check --fix .
	$(IN_ENVIRONMENT) ruff format .

changelog: environment
	$(IN_ENVIRONMENT) towncrier build --draft --version "$$($(IN_ENVIRONMENT) wirecat --version | sed 's/^[^0-9]*//')"

# About 20 minutes, for a machine with nothing else to do; a quick run writes to build/bench.
bench: environment
	$(IN_ENVIRONMENT) bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

zipapp:
	@python=$$($(FIND_PYTHON)) && "$$python" tools/zip_application.py

environment:
	@$(ENVIRONMENT)

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find src tests bench examples tools -name __pycache__ -type d -prune -exec rm -rf {} +
