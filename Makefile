# Two commands do all the set-up: make run, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL ?= qwen2.5-coder-1.5b
PROMPT ?= groups

.PHONY: run .run test .test coverage check fix record report bench docs soak sbom audit lock clean

# $(call timed,NAME,WHAT): says what is done and how long it took last, and makes .NAME
define timed
@echo "make $(1): $(2) ($$(cat $(VENV)/.took-$(1) 2>/dev/null || echo "not yet done here"))"
@began=$$(date +%s); $(MAKE) --no-print-directory .$(1); code=$$?; took=$$(($$(date +%s) - began)); \
	test ! -d $(VENV) || echo "last time: $$((took / 60)) min $$((took % 60)) s" > $(VENV)/.took-$(1); exit $$code
endef

# $(call install,LOCK,WHAT): a virtual environment with what the lock pins, each file checked by its hash
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed; name one, as in: make PYTHON=python3.12" >&2; exit 1; }
@echo "Installing $(2) into $(VENV), by $(1)"
@$(PYTHON) -m venv $(VENV)
@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $(1)
@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib extractor prompts || true # pip would do it on one core; some hold templates
endef

# what a run needs; the stamp below vouches for it too
$(VENV)/.ready-run: requirements-run.lock pyproject.toml
	$(call install,$<,the package and the embedded engine)
	@touch $@

$(VENV)/.ready: requirements.lock pyproject.toml
	$(call install,$<,the package with every extra and the tools of its development)
	@touch $(VENV)/.ready-run $@

$(VENV)/.ready-audit: requirements-audit.lock $(VENV)/.ready
	@echo "Installing what audits into $(VENV)-audit, by $<"
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

## five records out of five sample files, on the embedded model
run:
	$(call timed,run,the embedded model reads five sample files; it is fetched once: 1.1 GB)

.run: $(VENV)/.ready-run
	$(BIN)/extractor models pull $(MODEL)
	$(BIN)/extractor run --out out --model $(MODEL) --prompt $(PROMPT) || test $$? -eq 1
	$(BIN)/extractor show out

## everything that can be tested with no key, no weights and no network, on all cores; what was left out is listed with its reason
test:
	$(call timed,test,every test with no key and no weights and no network)

# What is compiled is read by all processes that tests start, also where PYTHONDONTWRITEBYTECODE is set
.test: $(VENV)/.ready
	@$(BIN)/python -m compileall -q -j 0 extractor prompts
	$(BIN)/python -m pytest -n auto --dist loadgroup -rs --no-fold-skipped

## the same with branch coverage, in the processes that tests start too: a third more time
coverage: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term

check: $(VENV)/.ready
	$(BIN)/ruff check extractor prompts tests bench
	$(BIN)/ruff format --check extractor prompts tests bench
	$(BIN)/mypy --strict extractor
	$(BIN)/lint-imports

fix: $(VENV)/.ready
	$(BIN)/ruff check --fix extractor prompts tests bench
	$(BIN)/ruff format extractor prompts tests bench

## the sample documents, live from the embedded model, onto cassettes
record: $(VENV)/.ready-run
	$(BIN)/extractor models pull $(MODEL)
	$(BIN)/extractor run --out out --model $(MODEL) --prompt $(PROMPT) --mode record || test $$? -eq 1

## the recorded comparison, scored: report/report.html
report: $(VENV)/.ready-run
	$(BIN)/extractor eval --mode replay -o report

## the documentation as a site, every link within it checked: site/index.html
docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

## the long version of what `make test` samples: 1,000 examples of every property, 100 kills, 20,000 random documents and replies, 200 uploads at once, 300 documents on a cluster
soak: $(VENV)/.ready
	EXTRACTOR_EXAMPLES=1000 $(BIN)/python -m pytest -n auto --dist loadgroup -m hypothesis
	EXTRACTOR_KILLS=100 EXTRACTOR_FUZZ=20000 $(BIN)/python -m pytest tests/test_kills.py tests/test_fuzz.py
	EXTRACTOR_UPLOADS=200 $(BIN)/python -m pytest tests/serving/test_serve_kills.py
	EXTRACTOR_TIMED=1 $(BIN)/python -m pytest tests/test_kinds.py tests/test_result_file.py tests/test_csv.py tests/test_markdown.py tests/test_mails.py tests/test_site.py
	$(BIN)/python bench/cluster.py
	EXTRACTOR_SOAK=20000 $(BIN)/python -m pytest tests/test_full_house.py
	$(BIN)/python bench/soak.py
	$(BIN)/python bench/csv_rows.py
	$(BIN)/python bench/time_against_length.py
	EXTRACTOR_SOAK=1 $(BIN)/python -m pytest tests/test_batch.py -k kill

## the performance of a run, measured on loopback: ratios and absolute figures, with the machine beside them
bench: $(VENV)/.ready
	$(BIN)/python bench/pressure.py
	$(BIN)/python bench/throughput.py
	$(BIN)/python bench/rerun.py
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/scoring.py

## the bill of materials of the lock, CycloneDX: sbom.cdx.json
sbom: $(VENV)/.ready-audit
	$(VENV)-audit/bin/python bench/audit.py sbom sbom.cdx.json

## the bill, and whether a published advisory is about what the locks pin; ADVISORIES=all.zip (OSV's export for PyPI) asks no network
audit: sbom
	$(VENV)-audit/bin/python bench/audit.py check $(ADVISORIES)

## all locks from pyproject.toml, the small one with the versions of the other; needs uv
COMPILE = uv pip compile --universal --generate-hashes --no-header --no-annotate --quiet
LOCK = $(COMPILE) pyproject.toml
lock:
	$(LOCK) --extra all --group dev --output-file requirements.lock
	$(LOCK) --extra local --constraint requirements.lock --output-file requirements-run.lock
	$(LOCK) --extra all --constraint requirements.lock --output-file requirements-serve.lock
	$(COMPILE) --group audit --output-file requirements-audit.lock

clean:
	rm -rf $(VENV) $(VENV)-audit out report site sbom.cdx.json
