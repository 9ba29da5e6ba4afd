"""The reward function of docs/reward.md, and ours, as verl loads and calls them."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from verl.trainer.ppo.reward import get_custom_reward_fn

from reward_fns import coe_reward
from reward_fns.coe_format import CoEOutput, skeleton

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reward.md"


def load(path: Path, **reward_kwargs: Any) -> Any:
    function = {"path": str(path), "name": "compute_score", "reward_kwargs": reward_kwargs}
    return get_custom_reward_fn(OmegaConf.create({"reward": {"custom_reward_function": function}}))


def call(output: str) -> dict[str, Any]:
    """The arguments that verl's reward loop gives."""
    return {"data_source": "x", "solution_str": output, "ground_truth": "", "extra_info": {"question": "睡不着"}}


def test_the_example_in_the_docs_runs_in_verl(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(block.splitlines()) <= 20
    file = tmp_path / "reward.py"
    file.write_text(block, encoding="utf-8")
    score = load(file, shortest=3, replicas=1)
    layers = ("难过", "自责", "被理解", "先共情")
    assert score(**call(CoEOutput(layers, "先起来走走。").render()))["score"] == 2.0
    assert score(**call(CoEOutput(layers, "好。").render()))["score"] == 1.0
    assert score(**call("先起来走走。"))["score"] == 0.0


def test_ours_loads_by_its_path_and_refuses_an_unknown_option() -> None:
    score = load(Path(coe_reward.__file__), mode="dense")
    # Without an answer no worker is asked.
    result = asyncio.run(score(**call("没有标签")))
    assert result["score"] == 0.0
    assert asyncio.run(score(**call(skeleton("").replace("<L1>", "")), reward_router_address="x"))["format"] == 0.0
    with pytest.raises(ValueError, match="max_coppy: no such option"):
        asyncio.run(load(Path(coe_reward.__file__), max_coppy=0.4)(**call("没有标签")))
