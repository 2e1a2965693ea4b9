# Everything a newcomer needs: `make demo`, `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test stories check coverage bench interop crash guarantees schemas clean setup

setup: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

# The main job, end to end, in a folder that is thrown away afterwards.
demo: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh kitty-specs-example/demo.sh

test: $(READY)
	$(BIN)/python -m pytest -n auto

# tests/stories as they go with the program as it is: what has changed is written into them, and reported as failed.
stories: $(READY)
	KITTY_STATUS_STORIES=rewrite $(BIN)/python -m pytest -n auto tests/stories

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src

# How much of the event stores their own tests reach, branches included. What decides on an append, and the queries of
# its condition, has to be reached whole. Twice as long as these tests take, so `make test` does without.
JUDGING := condition,drafting,errors,event,group_commit,protocol,query,staging,values
coverage: $(READY)
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n auto --cov=kitty_status.eventstore --cov=kitty_status.testing.event_store --cov-report= tests/eventstore
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --fail-under=100 --include="$$(echo $(JUDGING) | sed "s|[a-z_]*|src/kitty_status/eventstore/&.py|g")"

# The speeds that are promised, each as a ratio to something that was measured in the same run.
bench: $(READY)
	$(BIN)/python bench/run.py

# Against the released spec-kitty, which is installed for that in an environment of its own.
interop: $(READY)
	python=$$($(BIN)/python bench/spec_kitty.py) && KITTY_STATUS_INTEROP="$$python" $(BIN)/python -m pytest -n 2 tests/interop

# The long form of the proofs that `make test` runs briefly: minutes of kills, command loops, full disks, random repositories and moves.
crash: $(READY)
	KITTY_STATUS_PROOF_KILLS=3400 KITTY_STATUS_PROOF_ROUNDS=60 KITTY_STATUS_PROOF_STEP=1 KITTY_STATUS_PROOF_REPOSITORIES=200 KITTY_STATUS_PROOF_SEQUENCES=10000 KITTY_STATUS_PROOF_STORE_KILLS=500 KITTY_STATUS_PROOF_SEATS=1000 KITTY_STATUS_PROOF_BATCHES=1000 KITTY_STATUS_PROOF_TROUBLES=60 KITTY_STATUS_PROOF_TEARS=500 $(BIN)/python -m pytest -n auto tests/proof tests/eventstore/test_sqlite_faults.py

# The tables of docs/guarantees.md, by running every git command in every kind of clone.
guarantees: $(READY)
	cd tests && ../$(BIN)/python -m guarantees

# docs/schemas, from the models; a test asks for it where a model has changed.
schemas: $(READY)
	$(BIN)/kitty-status schema --all docs/schemas

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build bench/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
