PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2

.PHONY: demo test lint fuzz doctor results bench clean

demo: .venv/installed
	$(BIN)/chainrule train examples/digits.toml --force

# One BLAS thread: the networks in the tests are small, and the tests run side by side.
test: lint
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) --dist loadgroup

lint: .venv/installed-for-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fuzz: .venv/installed-for-tests
	CHAINRULE_FUZZ=$${CHAINRULE_FUZZ:-10000} $(BIN)/pytest -m fuzz -n $(JOBS)

# The gradient doctor on its whole corpus, 1,254 files; about ten minutes on two cores; writes its table into docs/doctor.md.
doctor: .venv/installed-for-tests
	PYTHONPATH=tests $(BIN)/python -m doctor.measure --failures --docs docs/doctor.md

# Needs real MNIST under CHAINRULE_DATA; writes docs/results.md. ROWS="digits synth-2020" measures these alone.
results: .venv/installed
	$(BIN)/python results/measure.py $(ROWS)

# Needs an idle machine for half an hour; writes docs/benchmarks.md. ROWS="mini-batch predict" measures these alone.
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu spares the download of PyTorch's CUDA build.
bench: .venv/installed-for-bench
	$(BIN)/python benchmarks/measure.py $(if $(ROWS),--rows $(ROWS))

clean:
	rm -rf .venv build *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chainrule needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/installed-for-tests: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e '.[test]'
	touch $@ .venv/installed

.venv/installed-for-bench: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e '.[bench]'
	touch $@ .venv/installed
