"""Whether SFT, rollouts and the served model begin with the same prompt, token by token.

A model that is asked with other prompts than it was trained on loses the format (0.80 to 0.00 in a trial), and nothing
else shows it. SFT's own process compares LLaMA-Factory's template with the base's (`recipes.sft_train`); what a later
stage passes to the template, or a tokenizer that was changed since, is looked at here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from omegaconf import DictConfig, OmegaConf
from transformers import AutoTokenizer

from common.decisions import DataDecisions
from recipes.preflight_checks import Line

_CHAT: Final = ({"role": "system", "content": "甲"}, {"role": "user", "content": "乙"})


def agree_line(root: Path, decided: DataDecisions, config: DictConfig) -> Line | None:
    """One prompt as SFT trained on it, as verl's rollouts and as `make generate` ask it.

    Args:
        root: the profile's folder.
        decided: by `make data`.
        config: verl's.

    Returns:
        None where there is no SFT model of this project's yet, GRPO begins with another one, or the base that it was
        trained from is no longer here.
    """
    sft = root / "sft"
    arguments, policy = sft / "llamafactory.yaml", Path(config.actor_rollout_ref.model.path)
    if not (arguments.is_file() and (sft / "tokenizer_config.json").is_file() and policy.resolve() == sft.resolve()):
        return None
    trained: Mapping[str, Any] = yaml.safe_load(arguments.read_text(encoding="utf-8"))
    kwargs: Any = OmegaConf.to_container(config.data.apply_chat_template_kwargs, resolve=True)
    try:
        asked = _ids(str(trained["model_name_or_path"]), {"enable_thinking": trained.get("enable_thinking", True)})
    except OSError:
        return None
    prompts = {
        "SFT": asked,
        "GRPO": _ids(str(policy), kwargs),
        "make generate": _ids(str(policy), decided.template_kwargs),
    }
    other = [name for name, ids in prompts.items() if ids != prompts["SFT"]]
    if other:
        shown = AutoTokenizer.from_pretrained(policy, trust_remote_code=False)
        told = "; ".join(f"in {name} it is {shown.decode(prompts[name])!r}" for name in other)
        return Line(
            "stop",
            f"prompt: SFT trained on {shown.decode(prompts['SFT'])!r}, {told}",
            "leave data.apply_chat_template_kwargs and the tokenizer of sft/ as SFT had them, or run `make sft` again",
        )
    return Line("ok", f"prompt: SFT, rollouts and served model begin with the same {len(prompts['SFT'])} tokens")


def _ids(model: str, kwargs: Mapping[str, Any]) -> list[int]:
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    return list(tokenizer.apply_chat_template(list(_CHAT), add_generation_prompt=True, return_dict=False, **kwargs))
