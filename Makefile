# `make demo` shows the main job on a class of its own, `make test` checks everything, and `make prove` checks it on all cases
# where `make test` takes a sample. Each sets up .venv if it is not there; nothing else is needed than Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
PYTEST = $(BIN)/python -m pytest $(PYTEST_OPTIONS)
# One more than two cores, since a tenth of the time a test waits for a limit or a server; 0.6 GB each.
PROCESSES := 3

.PHONY: demo test prove lint unit fuzz faults attacks attacks-table class benchmark pictures docs
demo: .venv/ready
	$(BIN)/python tests/demo.py

# On two cores ten minutes from a fresh clone, eight once proofs are recorded. The times below were measured there, one part after
# the other; lint runs beside fuzz.
test: .venv/ready
	$(MAKE) --jobs=2 --output-sync lint fuzz
	$(MAKE) unit attacks faults class

# Before a release, and after a change of the sandbox: docs/contributor.md says what it adds.
prove: PYTEST_OPTIONS = --prove
prove: export FUZZ ?= 2000
prove: export FAULT_SEEDS ?= 5
prove: lint unit fuzz attacks faults class

# 15 s.
lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# 145 s.
unit: .venv/ready
	$(PYTEST) tests/unit -n $(PROCESSES) --dist loadfile

# Damaged data for all that reads foreign data: 21 s. FUZZ=20000 looks for hours.
fuzz: .venv/ready
	$(PYTEST) tests/fuzz

# The real command while disks fill and processes die: 77 s. FAULT_SEEDS=30 tries more random moments.
faults: .venv/ready
	$(PYTEST) tests/faults -n 2 --dist load

# Some 200 hostile submissions, each followed by an honest one: 107 s.
attacks: .venv/ready
	$(PYTEST) tests/attacks

attacks-table: .venv/ready
	$(BIN)/python tests/attacks/table.py

# Whole assignments and the pages: 238 s, and 150 s while nothing has changed that a proof depends on.
class: .venv/ready
	$(PYTEST) tests/course -n $(PROCESSES) --dist loadfile

benchmark: .venv/ready
	$(BIN)/python benchmarks/against_nbgrader.py

# The README and the pages of docs/ as a site that needs no network, in build/docs; a broken link ends it: 3 s.
docs: .venv/ready
	$(BIN)/sphinx-build -W --keep-going -n -q -c docs . build/docs

# The README's pictures again, after a change of a page or of notebook 1: 45 s. Needs Chromium.
pictures: .venv/ready
	$(BIN)/python tests/pictures.py

# torch is asked for by its exact version, for a range would fetch the CUDA build where a CPU build is meant.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,docs]'
	$(BIN)/autograder doctor --mend
	touch $@
