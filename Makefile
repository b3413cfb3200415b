# Every target sets up what it needs in .venv and says what to do next. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# A course kept elsewhere: make grade COURSE=../my-course
COURSE ?=
export COURSE
IN := $(if $(COURSE),$(COURSE)/)
EXAMPLES := $(IN)examples/submissions
SUBMISSIONS ?= $(EXAMPLES)
OUT ?= $(IN)results
NB ?= notebooks/01_kl_divergence.ipynb
# The example class is our own code: any isolation will do. A class of strangers' code needs tier C, in a folder
# called "my examples/submissions" too: compared as a whole, not word by word.
ifeq ($(SUBMISSIONS),$(EXAMPLES))
MIN_TIER ?= E
space := $(subst ,, )
MADE := $(subst $(space),\$(space),$(EXAMPLES))
else
MIN_TIER ?= C
endif

.DEFAULT_GOAL := help
.PHONY: help setup grade mark gradescope test check fix lab hand-in pdf student notebooks references bench doctor clean

help:  ## list the targets
	@LC_ALL=C grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | awk -F ':.*  ## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP)  ## install the pinned requirements into .venv; a second run does nothing

$(STAMP): requirements.txt pyproject.toml
	@echo "Setting up $(VENV): this downloads some hundred megabytes once."
	@start=$$(date +%s); \
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info < (3, 15) else "Python 3.10 to 3.14 is needed, this is " + sys.version.split()[0] + ": name one, as in `make setup PYTHON=python3.13`")' \
	&& $(PYTHON) -m venv $(VENV) \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
	&& $(BIN)/python -m compileall -q utils grader assignments tools \
	&& touch $@ \
	&& echo "Set up in $$(( $$(date +%s) - start )) s. Next: make grade, make test, make lab."

# make cannot list files whose folder has a space in its name: the class of a course kept elsewhere is built each time.
$(MADE): $(STAMP) $(if $(COURSE),always,$(wildcard examples/students/*.py assignments/*/*.py))
	@$(BIN)/python -m tools.examples --out "$@"
	@touch "$@"
always:

grade: $(STAMP) $(MADE)  ## grade SUBMISSIONS=path into OUT=results with WORKERS=n (default: the example class)
	@$(BIN)/python -m grader grade "$(SUBMISSIONS)" --out "$(OUT)" --min-tier $(MIN_TIER) $(if $(WORKERS),--workers $(WORKERS))

mark: $(STAMP)  ## mark in the browser what waits for a person in OUT=results
	@$(BIN)/python -m grader mark "$(OUT)"

gradescope: $(STAMP)  ## dist/gradescope-NAME.zip for NB=NAME, to upload as an autograder
	@$(BIN)/python -m tools.gradescope_bundle "$(notdir $(basename $(NB)))" $(if $(TORCH_INDEX),--torch-index "$(TORCH_INDEX)") $(if $(WHEELS),--wheels "$(WHEELS)")

# Four at once on two cores: tests wait for a time limit, a browser or a sandbox to end, and with three an eighth of both stood still.
test: $(STAMP)  ## run all tests; no network needed
	@start=$$(date +%s); OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder; code=$$?; echo "Tests took $$(( $$(date +%s) - start )) s."; exit $$code

check: $(STAMP)  ## lint, types, notebooks in step with their sources; writes nothing
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml \
	&& $(BIN)/python -m tools.notebooks --check

fix: $(STAMP)  ## format the code and mend what the linter can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

lab: $(STAMP)  ## open JupyterLab on the notebooks
	@$(if $(COURSE),PYTHONPATH="$(CURDIR)" )$(BIN)/jupyter lab $(IN)notebooks

hand-in: $(STAMP)  ## a student's last step for NB=notebooks/NAME.ipynb: check, zip, PDF, receipt
	@$(BIN)/python -m utils.submission zip "$(NB)" --student "$(STUDENT)"

pdf: $(STAMP)  ## the PDF of NB=notebooks/NAME.ipynb alone
	@$(BIN)/python -m utils.export "$(NB)" --student "$(STUDENT)"

student: $(STAMP)  ## dist/student.zip: what a student needs, without grader, solutions and references
	@$(BIN)/python -m tools.student

notebooks: $(STAMP)  ## rebuild the student notebooks and their manifests
	@$(BIN)/python -m tools.notebooks

references: $(STAMP)  ## rebuild the grader's reference values
	@$(BIN)/python -m tools.references

bench: $(STAMP)  ## the project's own measurements, as ratios
	@$(BIN)/python -m tools.bench

doctor: $(STAMP)  ## say what this machine offers
	@$(BIN)/python -m grader doctor

clean:  ## remove results and built files; .venv and data stay
	rm -rf results dist build examples/submissions
