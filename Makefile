# make run | test | check | bench | attack, from a clean clone with Python 3.11 or later
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: run test ready browser check bench attack format
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

# Tests also compute in double precision; several at once would each compile the same. After the
# others, not beside them: numba's index of what is kept takes one process at a time.
.venv/double: .venv/dev .venv/loops
	$(BIN)/python -c "import torch; from gruviz import nn; nn.warm(torch.float64)"
	touch $@

# The peers that the benchmarks compare with; what can't be installed is named as missing.
.venv/bench: .venv/dev requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt || true
	touch $@

# The system's own allocator gives back what a class has left; Python's keeps it.
run: .venv/loops
	PYTHONMALLOC=malloc $(BIN)/python -m streamlit run app.py --server.port $(PORT)

browser: .venv/dev
	$(BIN)/python -m tests.browser.get_browser

# What tests need, once there is .venv/dev: `make --jobs=2 ready` has the browser beside the loops.
ready: .venv/dev browser .venv/loops .venv/double

test: ready
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/browser
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

# Everything that one visitor can try against the others, on loopback; some fifteen minutes.
attack: .venv/dev .venv/loops
	$(BIN)/python -m benchmarks.attack

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
