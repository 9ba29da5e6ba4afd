"""A change of code is noticed by the stages whose result it decides, and by no other.

On a copy of the packages, where one file at a time is changed.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from common.code import REPO, code_identity

PACKAGES: Final = ("common", "data_prep", "reward_fns", "eval", "recipes")
# What GRPO's configuration names: verl loads the reward by its path and the plug-ins by their names.
GRPO_NAMES: Final = (
    "reward_fns/coe_reward.py",
    "recipes.verl_cpu.platform",
    "recipes.verl_cpu.engine",
    "recipes.verl_cpu.vllm_worker.CPUWorkerExtension",
)
STAGES: Final = ("data", "sft", "reward_model", "grpo", "generate", "eval", "report")
# File, and the stages that notice a change of it.
NOTICED: Final[dict[str, set[str]]] = {
    "data_prep/prompts.py": {"data", "generate"},
    "data_prep/negatives.py": {"data"},
    "data_prep/anonymise/plausible.py": {"data"},
    "data_prep/anonymise/entities.txt": {"data"},
    "data_prep/risk/rules/self_harm.yaml": {"data"},
    "reward_fns/coe_format.py": {"data", "grpo", "generate", "eval", "report"},
    "reward_fns/options.py": {"grpo"},
    "reward_fns/coe_reward.py": {"grpo"},
    "reward_fns/reward_worker.py": {"grpo"},
    "reward_fns/training/loss.py": {"reward_model"},
    "recipes/sft_train.py": {"sft"},
    "recipes/grpo_train.py": {"grpo"},
    "recipes/grpo_card/templates/grpo.md.jinja": {"grpo"},
    "recipes/verl_cpu/vllm_worker.py": {"grpo"},
    "eval/statistics.py": {"eval", "report"},
    "eval/metrics/overlap.py": {"eval"},
    "eval/generation/offline.py": {"generate"},
    "eval/html/assets/report.css": {"report"},
    "common/human_help/help.yaml": {"data", "grpo", "eval", "report"},
    "common/files.py": set(STAGES),
    "profiles/tiny.yaml": set(),
    "README.md": set(),
}
MAY_NOTICE: Final = {
    # Where two stages share a helper for another reason than its result, the cheaper one may run again.
    "reward_fns/coe_format.py": {"reward_model"},
    "eval/metrics/overlap.py": {"report"},
    "data_prep/prompts.py": {"eval", "report"},
    "reward_fns/options.py": {"eval", "report"},
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for name in (*PACKAGES, "profiles"):
        shutil.copytree(REPO / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "README.md", root)
    return root


@pytest.fixture
def changed(copy: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    file = copy / request.param
    before = file.read_bytes()
    yield request.param
    file.write_bytes(before)


def identities(root: Path) -> dict[str, dict[str, str]]:
    return {
        stage: code_identity(root / "recipes" / f"{stage}.py", GRPO_NAMES if stage == "grpo" else (), root)
        for stage in STAGES
    }


@pytest.mark.parametrize("changed", NOTICED, indirect=True)
def test_a_change_is_noticed_by_whom_it_concerns(changed: str, copy: Path) -> None:
    before = identities(copy)
    file = copy / changed
    added = "\nADDED = 1\n" if file.suffix == ".py" else "\nadded: 1\n"
    file.write_text(file.read_text(encoding="utf-8") + added, encoding="utf-8")
    after = identities(copy)
    noticed = {stage for stage in STAGES if before[stage] != after[stage]}
    assert noticed >= NOTICED[changed]
    assert noticed - NOTICED[changed] <= MAY_NOTICE.get(changed, set())


@pytest.mark.parametrize("changed", [name for name in NOTICED if name.endswith(".py")], indirect=True)
def test_comments_and_docstrings_are_not(changed: str, copy: Path) -> None:
    before = identities(copy)
    file = copy / changed
    file.write_text("# A comment.\n" + file.read_text(encoding="utf-8").replace('"""\n', ' More.\n"""\n', 1), "utf-8")
    assert identities(copy) == before


def test_a_changed_layer_is_noticed(copy: Path) -> None:
    """What `make data` used to overlook."""
    before = identities(copy)["data"]
    file = copy / "reward_fns" / "coe_format.py"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(text.replace("情绪与处境", "情绪和处境"), encoding="utf-8")
        assert identities(copy)["data"] != before
    finally:
        file.write_text(text, encoding="utf-8")


def test_eval_is_none_of_training_s_business(copy: Path) -> None:
    for stage in ("data", "sft", "reward_model", "grpo"):
        reached = identities(copy)[stage]
        assert not [name for name in reached if name.startswith("eval/")]


def test_sft_and_grpo_do_not_read_data_preparation(copy: Path) -> None:
    for stage in ("sft", "grpo"):
        assert not [name for name in identities(copy)[stage] if name.startswith("data_prep/")]
