# make demo   the sample video, or VIDEO=... QUESTION="..." -> demo/report.html
# make test   what a change has to pass
# make check  the same, and format, lint, types and layers
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
QUESTION ?=
K ?= 8
export VIDEO QUESTION K

.PHONY: demo test check clean

demo: $(VENV)/.for-demo
	$(BIN)/python examples/demo.py

test: $(VENV)/.for-dev
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/.for-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist loadfile

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.for-demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable '.[models,ocr]'
	touch $@

$(VENV)/.for-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable '.[dev]'
	touch $@ $(VENV)/.for-demo

clean:
	rm -rf $(VENV) build demo demo-world
