# Two commands do all set-up: `make demo` and `make test`. Both need only Python 3.10 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check host newest clean

demo: $(READY)
	$(BIN)/python -m mm_core demo --out out/demo

# One process for each core, one thread in each.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

check: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

host: $(READY)
	$(BIN)/python -m pytest -m host

# The newest of every package that the pack runs on: gigabytes to download.
newest:
	$(PYTHON) -m venv $(VENV)-newest
	$(VENV)-newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade torch transformers safetensors numpy pillow -r requirements-test.txt
	scripts/versions $(VENV)-newest/bin/python
	OMP_NUM_THREADS=1 $(VENV)-newest/bin/python -m pytest -n auto --dist loadfile

$(READY): requirements-dev.txt requirements-test.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "needs Python 3.10 or newer; found " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

clean:
	rm -rf $(VENV) $(VENV)-host $(VENV)-newest out build *.egg-info
