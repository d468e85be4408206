# `make` alone lists what there is. PYTHON names the interpreter of a new .venv; PORT and DATA belong to `make up`, JOBS to tests.
PYTHON ?= python3
PORT ?= 8000
DATA ?= .coravet
ARGS ?=
# Of tests: each has a database server and an emulator of its own. JOBS=0 runs them all in one.
JOBS ?= 2

bin := .venv/bin
installed := .venv/installed
# File by file, the long ones of the real parts first, so that both end together.
together = -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help up test test-all check bench fmt lock clean install

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-10s %s\n' "$$name" "$$text"; done

up: $(installed) ## start CoraVet with a database, sign-in and demo data [PORT=8000 DATA=.coravet]
	@exec $(bin)/coravet up --port "$(PORT)" --data "$(DATA)"

test: $(installed) ## run every test but the long ones [ARGS="-k agenda"]
	@exec $(bin)/python -m pytest $(together) -m "not long" $(ARGS)

test-all: $(installed) ## run every test
	@exec $(bin)/python -m pytest $(together) $(ARGS)

check: $(installed) ## format, lint, types, import contracts, legal texts, locks
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/mypy docs
	$(bin)/lint-imports
	$(bin)/coravet legal check
	sh requirements/lock.sh --check

bench: $(installed) ## measure the agenda beside a bare floor, free slots, a long timeline, a card as PDF, an import, looking for drift of legal texts, the event stream beside NestJS, verifying 5,000 people, what measuring costs, pictures beside sharp, sending photos, and booking beside its bare SQL
	@$(bin)/python -m bench $(ARGS)
	@$(bin)/python -m bench.availability
	@$(bin)/python -m bench.search
	@$(bin)/python -m bench.timeline
	@$(bin)/python -m bench.sheets
	@$(bin)/python -m bench.imports
	@$(bin)/python -m bench.legal
	@$(bin)/python -m bench.live
	@$(bin)/python -m bench.sweep
	@$(bin)/python -m bench.measures
	@$(bin)/npm ci --prefix bench/peers/sharp --no-audit --no-fund >/dev/null
	@$(bin)/python -m bench.photos
	@$(bin)/python -m bench.uploads
	@exec $(bin)/python -m bench.booking $(ARGS)

fmt: $(installed) ## format and mend what can be mended by itself
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

lock: $(installed) ## compile the locks anew from pyproject.toml and requirements/firebase/package.json
	sh requirements/lock.sh

install: $(installed) ## make .venv and install what the locks name

clean: ## remove .venv and the caches; data under .coravet stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench alembic -name __pycache__ -prune -exec rm -rf {} +

$(installed): requirements/dev.txt requirements/install.sh pyproject.toml
	@sh requirements/install.sh "$(PYTHON)"
	@touch $@
