# make run | test | check | bench | attack, from a clean clone with Python 3.11 or later
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: run test check bench attack format
.DELETE_ON_ERROR:

.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/dev: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ .venv/run

# The recurrences are compiled at set-up and kept on disk: the first click waits for nothing.
.venv/loops: .venv/run $(wildcard gruviz/nn/*.py gruviz/nn/loops/*.py)
	$(BIN)/python -c "from gruviz import nn; nn.warm()"
	touch $@

# The peers that the benchmarks compare with; what can't be installed is named as missing.
.venv/bench: .venv/dev requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt || true
	touch $@

# The system's own allocator gives back what a class has left; Python's keeps it.
run: .venv/loops
	PYTHONMALLOC=malloc $(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: .venv/dev
	$(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/browser
	$(BIN)/python -m tests.browser.get_browser
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/browser

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/vulture
	$(BIN)/lint-imports
	$(BIN)/oxlint --deny-warnings

bench: .venv/bench .venv/loops
	$(BIN)/python -m benchmarks

# Everything that one visitor can try against the others, on loopback; some ten minutes.
attack: .venv/dev .venv/loops
	$(BIN)/python -m benchmarks.attack

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
