# `make demo` and `make test` need Python >= 3.11, make and a package index; nothing else.

VENV   ?= .venv
PYTHON := $(VENV)/bin/python
# The strict editable install links file by file into a tree laid out like the wheel, which is what tests and type
# checker need. An edited file is seen at once, a new one after linking again: a second's work, done below whenever
# a folder changes.
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check
EDITABLE := --config-settings editable_mode=strict --editable
FOLDERS := $(shell find schemas converters metalake_io commands -type d ! -name __pycache__)

.DEFAULT_GOAL := help
.PHONY: help demo test acceptance referees lint types format matrix torture acceptance-engines transfers bench bench-memory \
    profile growth scale clean

help:
	@echo 'make demo       install, bring the fixtures into a MetaLake of its own and back, prove that nothing was lost'
	@echo 'make test       lint, type check, all tests'
	@echo 'make acceptance let the unmodified official SDKs and a real browser judge the sandbox; nothing may be skipped'
	@echo 'make referees   let other annotation programs judge what is written (1.3 GB of them); nothing may be skipped'
	@echo 'make lint       ruff and pyright only'
	@echo 'make format     let ruff sort imports and lay out the code'
	@echo 'make matrix     measure what comes home from format to format, and write it into the README'
	@echo 'make torture    the long forms of the fault tests: kills, broken networks, chaos (an hour or more)'
	@echo 'make acceptance-engines  a cluster of two workers, and object storage, make the same bytes (installs Ray and moto)'
	@echo 'make transfers  measure uploads and downloads against the official SDK, and write it into the README'
	@echo 'make bench      measure speed, memory and losses against other programs (BENCH: options of benchmarks/measure.py)'
	@echo 'make profile    where the time of one conversion goes (PAIR: which, as "coco > voc")'
	@echo 'make bench-memory  convert a COCO file of 4 GB in 256 MiB, held to it by the kernel (MEMORY: options of memory.py)'
	@echo 'make growth     time and memory at once, twice and four times the size, as docs/growth.svg'
	@echo 'make scale      what a hundred million images would cost, written into docs/scale.md'
	@echo 'make clean      remove the virtual environment and everything that was built'

demo: $(VENV)/.linked
	@$(PYTHON) fixtures/demo.py

test: lint
	$(PYTHON) -m pytest -n 2

# Both official SDKs have one package name, so each lives in an environment of its own. The browser is the system's:
# on Debian `apt install chromium`.
acceptance: $(VENV)/.test $(VENV)/.linked $(VENV)/.layernext $(VENV)/.layernext-beta
	ANNOLAKE_LAYERNEXT_PYTHON=$(abspath $(VENV))/layernext/bin/python \
	ANNOLAKE_LAYERNEXT_BETA_PYTHON=$(abspath $(VENV))/layernext-beta/bin/python \
	$(PYTHON) -m pytest -n 2 --no-skips tests/metalake_io/sandbox tests/metalake_io/test_recordings.py \
	    tests/metalake_io/test_defects.py

referees: $(VENV)/.referees
	@$(VENV)/referees/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
	$(VENV)/referees/bin/python -m pytest --no-skips -m referee tests/converters

lint: $(VENV)/.test $(VENV)/.linked
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pyright --pythonpath $(PYTHON)

format: $(VENV)/.test
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

matrix: $(VENV)/.test $(VENV)/.linked
	$(PYTHON) -m pytest -q --accept tests/converters/test_matrix.py

torture: $(VENV)/.test $(VENV)/.linked
	$(PYTHON) -m pytest -n 2 --torture -m torture

acceptance-engines: $(VENV)/.engines $(VENV)/.test $(VENV)/.linked
	$(PYTHON) -m pytest --engines -m engines tests/engines

transfers: $(VENV)/.layernext $(VENV)/.test $(VENV)/.linked
	$(PYTHON) benchmarks/transfers.py --official $(VENV)/layernext/bin/python --write README.md

PAIR ?= coco > yolo

bench: $(VENV)/.peers $(VENV)/.linked
	$(PYTHON) benchmarks/measure.py $(BENCH)

bench-memory: $(VENV)/.linked
	$(PYTHON) benchmarks/memory.py --write README.md $(MEMORY)

profile: $(VENV)/.linked
	$(PYTHON) benchmarks/profiling.py '$(PAIR)' $(PROFILE)

growth: $(VENV)/.linked
	$(PYTHON) benchmarks/growth.py $(GROWTH)

scale: $(VENV)/.engines $(VENV)/.linked
	$(PYTHON) benchmarks/scale.py --write docs/scale.md $(SCALE)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp file per step, so that each is done again only when what it depends on has changed.
$(VENV)/.base: pyproject.toml
	@found=; for python in $${PYTHON3:-python3 python3.14 python3.13 python3.12 python3.11}; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "annolake needs Python 3.11 or newer, and none was found. Install one, or name it: make PYTHON3=/path/to/python3.11" >&2; \
	    exit 1; \
	fi; \
	echo "making $(VENV) with $$($$found --version) and installing annolake"; \
	$$found -m venv $(VENV) || { echo "this Python cannot make a virtual environment (on Debian: apt install python3-venv)" >&2; exit 1; }
	@$(INSTALL) 'setuptools>=77' $(EDITABLE) '.[sandbox]'
	@touch $@

$(VENV)/.test: $(VENV)/.base
	@echo 'installing what the tests need'
	@$(INSTALL) $(EDITABLE) '.[test]'
	@touch $@

$(VENV)/.layernext: WHAT = layernext==2.3.4
$(VENV)/.layernext-beta: WHAT = layernext-beta==3.28.14
$(VENV)/.layernext $(VENV)/.layernext-beta: $(VENV)/.base
	@echo 'installing $(WHAT) in an environment of its own'
	@$(PYTHON) -m venv $(@:$(VENV)/.%=$(VENV)/%)
	@$(@:$(VENV)/.%=$(VENV)/%)/bin/python -m pip install --quiet --disable-pip-version-check '$(WHAT)'
	@touch $@

$(VENV)/.referees: $(VENV)/.base
	@echo 'installing the programs that judge in an environment of their own'
	@$(PYTHON) -m venv $(VENV)/referees
	@$(VENV)/referees/bin/python -m pip install --quiet --disable-pip-version-check 'setuptools>=77' '.[test,referees]'
	@touch $@

# Each in an environment of its own, so that nothing of theirs is ever ours. hotcoco reads picture sizes with Pillow.
PEERS := panlabel==0.7.0 hotcoco==1.3.0 orjson==3.13.0

$(VENV)/.peers: $(VENV)/.base
	@echo 'installing what the benchmarks compare with'
	@for peer in $(PEERS); do \
	    home=$(VENV)/peers/$${peer%%==*} && $(PYTHON) -m venv $$home && \
	    $$home/bin/python -m pip install --quiet --disable-pip-version-check $$peer \
	        $$(test $${peer%%==*} = hotcoco && echo Pillow) || exit 1; \
	done
	@touch $@

$(VENV)/.engines: $(VENV)/.base
	@echo 'installing a cluster and a stand-in for object storage'
	@$(INSTALL) $(EDITABLE) '.[acceptance-engines]'
	@touch $@

$(VENV)/.linked: $(VENV)/.base $(FOLDERS)
	@$(INSTALL) --no-deps --no-build-isolation $(EDITABLE) .
	@touch $@
