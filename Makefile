# Two commands: `make demo` shows the main job on a class of its own, `make test` checks everything. Each sets up .venv if
# it is not there; nothing else is needed than Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint unit fuzz faults attacks attacks-table class benchmark
demo: .venv/ready
	$(BIN)/python tests/demo.py

test: lint unit fuzz attacks faults class

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two and a half minutes one by one, 1:45 in two processes of 0.6 GB each.
unit: .venv/ready
	$(BIN)/python -m pytest tests/unit -n auto --maxprocesses 4 --dist loadfile

# What reads foreign data, with damaged data: a minute. FUZZ=20000 looks for hours.
fuzz: .venv/ready
	$(BIN)/python -m pytest tests/fuzz

# The real command while disks fill and processes die: four minutes. FAULT_SEEDS=30 tries more random moments.
faults: .venv/ready
	$(BIN)/python -m pytest tests/faults

# Some 190 hostile submissions, each followed by an honest one: five minutes.
attacks: .venv/ready
	$(BIN)/python -m pytest tests/attacks

attacks-table: .venv/ready
	$(BIN)/python tests/attacks/table.py

class: .venv/ready
	$(BIN)/python -m pytest tests/course

benchmark: .venv/ready
	$(BIN)/python benchmarks/against_nbgrader.py

# torch is asked for by its exact version, for a range would fetch the CUDA build where a CPU build is meant.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	$(BIN)/autograder doctor --mend
	touch $@
