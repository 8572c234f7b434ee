# make demo     predict a real protein and draw it            make test    run every test, in the real hosts too
# make bench    time and memory beside named rivals           make lint    ruff, mypy
# make pymol-plugin    dist/dynaprot-pymol.zip                make chimerax-bundle    dist/ChimeraX_DynaProt-*.whl

PYTHON ?= python3
# ChimeraX 1.7 exists for Python 3.11 alone.
PYTHON311 ?= python3.11
PYTHONS ?= python3.11 python3.12 python3.13
# For training and its tests alone. One version for everybody, so that tests repeat; without a GPU, PyTorch's own index
# has a build of a tenth the size.
TORCH ?= torch==2.13.0
# HIV protease with its flaps, from PyMOL's package; or make demo STRUCTURE=my.cif, or STRUCTURE=pdb:1ade
STRUCTURE ?= $(shell .venv/bin/python -c "import pathlib, sysconfig; print(pathlib.Path(sysconfig.get_path('purelib'), 'pymol/pymol_path/data/tut/1hpv.pdb'))")

.PHONY: demo test test-core test-pymol test-chimerax test-numpy1 test-pythons lint golden bench pymol-plugin chimerax-bundle clean

demo: .venv/demo
	.venv/bin/dynaprot predict "$(STRUCTURE)" --output out/demo --samples 50

test: lint test-core test-pymol test-chimerax

test-core: .venv/dev
	.venv/bin/python -m pytest tests/core

test-pymol: .venv/dev
	.venv/bin/python -m pytest tests/pymol

# Outside CI, a machine that cannot make the host (no Python 3.11, no OSMesa) says why and goes on.
test-chimerax:
	@if $(PYTHON311) tests/chimerax/environment.py; then \
	    .venv-chimerax/bin/python -m pytest tests/chimerax; \
	elif [ -n "$$CI" ]; then exit 1; \
	else echo "The ChimeraX tests were left out, for the reason above."; fi

# The core under ChimeraX's numpy 1.26, without PyTorch.
test-numpy1:
	$(PYTHON311) tests/chimerax/environment.py
	PYTHONPATH=src .venv-chimerax/bin/python -m pytest tests/core

# The core as users install it, without PyTorch, under every Python: all tests but those of training.
test-pythons:
	@for python in $(PYTHONS); do \
	    $$python -c "" 2>/dev/null || { echo "$$python is not here: left out"; continue; }; \
	    $$python -m venv .venv-$$python && \
	    .venv-$$python/bin/pip install --quiet --editable . pytest hypothesis scipy mdtraj h5py && \
	    ! .venv-$$python/bin/python -c "import torch" 2>/dev/null && \
	    .venv-$$python/bin/python -m pytest tests/core || exit 1; \
	done

lint: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mypy --package src  # the ChimeraX bundle, with the core inside it as there

# What every model predicts, to be repeated by every later version. Alone in a commit, with the paired evaluation.
golden: .venv/dev
	.venv/bin/python -m tests.core.golden.predictions

bench: .venv/dev
	.venv/bin/python benchmarks/speed.py

pymol-plugin:
	$(PYTHON) pymol_plugin/build.py dist

chimerax-bundle:
	$(PYTHON311) tests/chimerax/environment.py
	.venv-chimerax/bin/python -m chimerax.core --nogui --exit --cmd "devel build . exit true"

clean:
	rm -rf .venv .venv-* out build dist *.egg-info

.venv/base: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --editable .
	@touch $@

.venv/demo: .venv/base
	.venv/bin/pip install --quiet --no-deps pymol-open-source==3.2.0a0
	@touch $@

.venv/dev: .venv/base
	.venv/bin/pip install --quiet $(TORCH)
	.venv/bin/pip install --quiet --editable ".[dev]"
	@touch $@
