# Everything runs in .venv, which each target makes and fills from constraints.txt when something changed.
# Needs Python 3.11 or newer and make; the tests also Chromium, PostgreSQL, Prometheus, Maven,
# Java, nftables and iproute2, which apt-get installs when they are missing.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --constraints constraints.txt --build-constraints constraints.txt
PINS := pyproject.toml constraints.txt $(wildcard hatch_build.py package.json package-lock.json)
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check docs screenshots bench faults fuzz lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.demo  ## start vigla, six example services and traffic; prints the URL
	$(BIN)/vigla demo

test: .venv/.dev .venv/.browser .venv/.postgresql .venv/.netns .venv/.prometheus .venv/.kafka  ## run the tests
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile

check: .venv/.dev  ## lint, format, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/.dev  ## write docs/settings.md, docs/metrics.md and Grafana's dashboards anew
	$(BIN)/python scripts/reference_pages.py
	$(BIN)/python -m scripts.dashboards

screenshots: .venv/.dev .venv/.browser  ## take docs/images anew; `make demo` must run
	$(BIN)/python scripts/screenshots.py

bench: .venv/.dev  ## run the benchmarks (long); results go to benchmarks/results
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.query
	$(BIN)/python -m benchmarks.mesh
	$(BIN)/python -m benchmarks.promql
	$(BIN)/python -m benchmarks.topology
	$(BIN)/python -m benchmarks.pages

faults: .venv/.dev  ## kill the server at 200 random moments under load
	$(BIN)/pytest tests/faults --rounds=200 --timeout=7200

fuzz: .venv/.dev  ## generated garbage on every port, for longer than the tests do
	$(BIN)/pytest tests/fuzz --hypothesis-profile=long --timeout=7200

lock: .venv/bin/uv  ## write constraints.txt anew, with the newest versions allowed
	$(BIN)/uv pip compile --quiet --upgrade --python $(BIN)/python --extra dev --no-header --no-annotate --output-file constraints.txt pyproject.toml

clean:  ## remove the environment, caches and build results
	rm -rf .venv dist node_modules ui/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian has venv in a package of its own.
.venv/bin/uv: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vigla needs Python 3.11 or newer; say which: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || { ./scripts/apt-install.sh python3-venv && $(PYTHON) -m venv .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@touch $@

.venv/.demo: .venv/bin/uv $(PINS)
	@echo "installing vigla and the demo into .venv"
	@$(UV) --editable '.[demo]'
	@touch $@

.venv/.dev: .venv/bin/uv $(PINS)
	@echo "installing vigla and the development tools into .venv"
	@$(UV) --editable '.[dev]'
	@touch $@ .venv/.demo

.venv/.browser: .venv/bin/uv
	@{ command -v chromium && fc-list :lang=zh | grep -q .; } >/dev/null 2>&1 || ./scripts/apt-install.sh chromium fonts-dejavu-core fonts-wqy-microhei
	@touch $@

.venv/.postgresql: .venv/bin/uv
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || ./scripts/apt-install.sh postgresql
	@touch $@

# Transparent capture is tested between network namespaces.
.venv/.netns: .venv/bin/uv
	@PATH="$$PATH:/usr/sbin:/sbin"; { command -v nft && command -v ip; } >/dev/null || ./scripts/apt-install.sh nftables iproute2
	@touch $@

# A real broker: Apache Kafka's jars, from Maven Central.
.venv/.kafka: .venv/bin/uv tests/bus/kafka/pom.xml
	@{ command -v mvn && command -v java; } >/dev/null || ./scripts/apt-install.sh maven default-jre-headless
	@mvn --quiet --batch-mode --file tests/bus/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.venv/kafka -DincludeScope=runtime || echo "Maven Central is away: tests that need a real Kafka are skipped"
	@touch $@

# PromQL is compared with it.
.venv/.prometheus: .venv/bin/uv
	@command -v promtool >/dev/null || ./scripts/apt-install.sh prometheus
	@touch $@
