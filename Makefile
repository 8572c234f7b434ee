# make demo     predict a real protein and draw it            make test    run every test, in the real hosts too
# make bench    time and memory beside named rivals           make lint    ruff, mypy
# make package  dist/dynaprot-*.tar.gz and *.whl for pip      make thorough    what takes hours: before a release
# make pymol-plugin    dist/dynaprot-pymol.zip                make chimerax-bundle    dist/ChimeraX_DynaProt-*.whl

PYTHON ?= python3
# ChimeraX 1.7 exists for Python 3.11 alone.
PYTHON311 ?= python3.11
PYTHONS ?= python3.11 python3.12 python3.13
# How many `make soak` makes in one process.
PREDICTIONS ?= 500
# For training and its tests alone. One version for everybody, so that tests repeat; without a GPU, PyTorch's own index
# has a build of a tenth the size.
TORCH ?= torch==2.13.0
# HIV protease with its flaps, from PyMOL's package; or make demo STRUCTURE=my.cif, or STRUCTURE=pdb:1ade
STRUCTURE ?= $(shell .venv/bin/python -c "import pathlib, sysconfig; print(pathlib.Path(sysconfig.get_path('purelib'), 'pymol/pymol_path/data/tut/1hpv.pdb'))")

.PHONY: demo test test-core test-random test-pymol test-chimerax test-numpy1 test-pythons lint golden bench \
    thorough fuzz soak test-everything package pymol-plugin chimerax-bundle clean

demo: .venv/demo
	.venv/bin/dynaprot predict "$(STRUCTURE)" --output out/demo --samples 50

test: lint test-core test-pymol test-chimerax

test-core: .venv/dev
	.venv/bin/python -m pytest tests/core

# The properties over random proteins, which are others in each run.
test-random: .venv/dev
	HYPOTHESIS_PROFILE=random .venv/bin/python -m pytest tests/core -m hypothesis

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

# What users get, under every Python: the wheel made of the sdist, and the tests of the sdist. They choose themselves:
# without PyTorch, the readers of simulations, the hosts and shared data, those that need them say so and are left out.
test-pythons: package
	rm -rf out/sdist && mkdir -p out/sdist && tar -xzf dist/dynaprot-*.tar.gz -C out/sdist --strip-components 1
	@for python in $(PYTHONS); do \
	    $$python -c "" 2>/dev/null || { echo "$$python is not here: left out"; continue; }; \
	    environment=$(CURDIR)/.venv-$$python; \
	    rm -rf $$environment && $$python -m venv $$environment && \
	    $$environment/bin/pip install --quiet dist/dynaprot-*.whl && \
	    ! $$environment/bin/python -c "import torch" 2>/dev/null && \
	    $$environment/bin/dynaprot predict tests/structures/6gof_gap.pdb.gz --output out/$$python && \
	    $$environment/bin/pip install --quiet pytest hypothesis scipy && \
	    (cd out/sdist && $$environment/bin/python -m pytest tests/core) || exit 1; \
	done

# What takes hours. Each part can be run by itself.
thorough: fuzz soak test-everything

fuzz: .venv/dev
	HYPOTHESIS_PROFILE=thorough .venv/bin/python -m pytest tests/core -m hypothesis

soak: .venv/dev
	.venv/bin/python benchmarks/soak.py $(PREDICTIONS)

# Every test of the core and of PyMOL under every Python, with all that they need.
test-everything:
	@for python in $(PYTHONS); do \
	    $$python -c "" 2>/dev/null || { echo "$$python is not here: left out"; continue; }; \
	    environment=.venv-everything-$$python; \
	    rm -rf $$environment && $$python -m venv $$environment && \
	    $$environment/bin/pip install --quiet $(TORCH) && \
	    $$environment/bin/pip install --quiet --editable ".[dev]" && \
	    $$environment/bin/python -m pytest tests/core && \
	    $$environment/bin/python -m pytest tests/pymol || exit 1; \
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

# The sdist, and the wheel made of it.
package: .venv/dev
	rm -f dist/dynaprot-*.tar.gz dist/dynaprot-*.whl
	.venv/bin/python -m build --outdir dist .

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
