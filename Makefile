# Two commands do all the set-up: make run, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL ?= qwen2.5-coder-1.5b
PROMPT ?= groups

.PHONY: run test check fix record report bench soak lock clean

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

## five records out of five sample files, on the embedded model
run: $(VENV)/.ready
	$(BIN)/python -m extractor models pull $(MODEL)
	$(BIN)/python -m extractor run eval/samples -o out --model $(MODEL) --prompt $(PROMPT) || test $$? -eq 1
	$(BIN)/python -m extractor show out

## everything that can be tested with no key, no weights and no network
test: $(VENV)/.ready
	$(BIN)/python -m pytest --cov --cov-report=term

check: $(VENV)/.ready
	$(BIN)/ruff check extractor prompts tests bench
	$(BIN)/ruff format --check extractor prompts tests bench
	$(BIN)/mypy --strict extractor
	$(BIN)/lint-imports

fix: $(VENV)/.ready
	$(BIN)/ruff check --fix extractor prompts tests bench
	$(BIN)/ruff format extractor prompts tests bench

## the sample documents, live from the embedded model, onto cassettes
record: $(VENV)/.ready
	$(BIN)/python -m extractor models pull $(MODEL)
	$(BIN)/python -m extractor run eval/samples -o out --model $(MODEL) --prompt $(PROMPT) --mode record || test $$? -eq 1

## the recorded comparison, scored: report/report.html
report: $(VENV)/.ready
	$(BIN)/python -m extractor eval --mode replay -o report

## the long version of what `make test` samples: 100 kills, 20,000 random documents and replies
soak: $(VENV)/.ready
	EXTRACTOR_KILLS=100 EXTRACTOR_FUZZ=20000 $(BIN)/python -m pytest tests/test_kills.py tests/test_fuzz.py

## the performance of a run, measured on loopback: ratios and absolute figures, with the machine beside them
bench: $(VENV)/.ready
	$(BIN)/python bench/pressure.py
	$(BIN)/python bench/throughput.py
	$(BIN)/python bench/rerun.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/scoring.py

## requirements.lock from pyproject.toml; needs uv
lock:
	uv pip compile pyproject.toml --extra all --group dev --universal --generate-hashes \
		--no-header --no-annotate --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) out report
