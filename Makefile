# The front door. `make help` lists what can be asked for.
# The first call builds an environment of its own (.venv to serve, .venv-dev for everything else); a stamp file in it
# remembers that, so that the next call starts at once. Every HEED_ variable is passed on: make serve HEED_PORT=9000

PYTHON ?= python3
SERVE  := .venv/bin/python
DEV    := .venv-dev/bin/python
PIP    := -m pip install --quiet --disable-pip-version-check
MODEL  ?= en-de-bahdanau
DATA   ?= data
NPM    := tests/dialects/npm

.DEFAULT_GOAL := help
.PHONY: help serve test lint watch format pages pins train bundle bench bench-http bench-peers docker-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/installed ## serve the bundles of zoo/ on this machine's cores (installs no torch)
	$(SERVE) -m service serve

test: .venv-dev/installed $(NPM)/node_modules/installed ## every test
	$(DEV) -m pytest

lint: .venv-dev/installed ## format, lint, types and who may import whom; changes nothing
	$(DEV) -m ruff format --check .
	$(DEV) -m ruff check .
	$(DEV) -m mypy
	.venv-dev/bin/lint-imports

watch: .venv-dev/installed ## a real Prometheus scrapes the service and tries the alert rules
	$(DEV) -m tests.prometheus.check

format: .venv-dev/installed ## rewrite what ruff can put right by itself
	$(DEV) -m ruff check --fix-only --quiet .
	$(DEV) -m ruff format .

pages: .venv-dev/installed ## rewrite the README's map and docs/settings.md from the code
	$(DEV) -m tests.house.pages

# A second call goes on where the first one stopped. The MALLOC settings keep freed arrays: 10 % less time (docs/log.md).
train: export MALLOC_TRIM_THRESHOLD_ = 4294967295
train: export MALLOC_MMAP_THRESHOLD_ = 4294967295
train: export MALLOC_TOP_PAD_ = 268435456
train: .venv-dev/installed ## train models/recipes/MODEL.json, and what it begins with, on the data sets in DATA, into runs/MODEL
	$(DEV) -m export rebuild --recipe models/recipes/$(MODEL).json --data $(DATA) --out runs/$(MODEL)

bundle: .venv-dev/installed ## export runs/MODEL into zoo/MODEL (refused if torch and the engine disagree) and score it
	$(DEV) -m export runs/$(MODEL) zoo/$(MODEL) --data $(DATA)
	$(DEV) -m export score zoo/$(MODEL) --data $(DATA) --write

bench: .venv/installed ## measure the engine on the texts in TEXTS, a text a line
	$(SERVE) -m bench engine zoo/$(MODEL) --texts $(TEXTS)

bench-http: .venv/installed ## measure the service under load with the texts in TEXTS
	$(SERVE) -m bench http zoo/$(MODEL) --texts $(TEXTS)

PEERS ?= litserve mosec bentoml eager
bench-peers: .venv/installed ## measure it beside PEERS, installed in .bench/; needs TEXTS, and runs/MODEL for eager
	$(SERVE) -m bench peers $(PEERS) --bundle zoo/$(MODEL) --checkpoint runs/$(MODEL) --texts $(TEXTS)

PARTS ?=
docker-check: ## build the images and run compose.yaml for real, with faults; PARTS: service scale observability cluster
	docker/check $(PARTS) || [ $$? -eq 77 ]

# Exact versions, from two throw-away environments without constraints: what pip takes today is what everybody gets.
# torch's local version (+cpu) is dropped: it names one build, and only some machines have that one.
pins: ## renew constraints/ from today's releases
	rm -rf .venv-pins
	$(PYTHON) -m venv .venv-pins
	.venv-pins/bin/python $(PIP) -e '.[serve,otel,shared-limits]'
	.venv-pins/bin/python -m pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' > constraints/serve.txt
	sed -n 's/^onnxruntime==/onnxruntime-gpu==/p' constraints/serve.txt >> constraints/serve.txt
	.venv-pins/bin/python $(PIP) -c constraints/serve.txt -e '.[dev]'
	.venv-pins/bin/python -m pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' > constraints/dev.txt
	rm -rf .venv-pins

clean: ## remove environments, caches and builds; runs/ and zoo/ stay
	rm -rf $(NPM)/node_modules .venv .venv-* .bench build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# An interrupted install leaves no stamp, so the next call installs again.
.venv/installed: pyproject.toml constraints/serve.txt
	$(PYTHON) -m venv .venv
	$(SERVE) $(PIP) -c constraints/serve.txt -e '.[serve]'
	@touch $@

.venv-dev/installed: pyproject.toml constraints/dev.txt
	$(PYTHON) -m venv .venv-dev
	$(DEV) $(PIP) -c constraints/dev.txt -e '.[dev]'
	@touch $@

# The tests of dialects ask with a client from npm; where there is no npm, or no registry, that one test is skipped and says so.
$(NPM)/node_modules/installed: $(NPM)/package.json $(NPM)/package-lock.json
	@if ! command -v npm >/dev/null; then echo "npm is not there: the test with its client will be skipped" >&2; \
	elif npm ci --prefix $(NPM) --ignore-scripts --no-audit --no-fund --loglevel=error; then touch $@; \
	else echo "npm ci failed: the test with its client will be skipped" >&2; fi
