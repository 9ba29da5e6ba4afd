"""The process in which LLaMA-Factory runs; started by `recipes.sft` with the composed YAML.

    python -m recipes.sft_train outputs/tiny/sft/llamafactory.yaml

The same as ``llamafactory-cli train``, which starts itself again through torchrun where there are several GPUs. One
thing is put in its way: LLaMA-Factory imports torchaudio for its audio models, and no build of it loads beside a CPU
torch. Where it is absent a placeholder stands in that imports and fails when used; text never uses it.

Before it trains, the template is checked: a model that is asked with other prompts than it was trained on loses the
format (0.80 to 0.00 in a trial), and nothing else shows it.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import yaml


class _AbsentTorchaudio(ModuleType):
    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"torchaudio.{name} was asked for, but torchaudio is not installed; only text is supported")


def _import_mm_plugin_without_torchaudio() -> None:
    # transformers looks for torchaudio at its own import, and must not find the placeholder.
    importlib.import_module("transformers")
    sys.modules["torchaudio"] = _AbsentTorchaudio("torchaudio")
    importlib.import_module("llamafactory.data.mm_plugin")
    del sys.modules["torchaudio"]


def prepare() -> None:
    """Make LLaMA-Factory importable."""
    if importlib.util.find_spec("torchaudio") is None:
        _import_mm_plugin_without_torchaudio()


def template_fault(config: Mapping[str, Any]) -> str:
    """How LLaMA-Factory's prompt differs from the tokenizer's chat template, by which verl and vLLM ask; "" if nowhere.

    Args:
        config: LLaMA-Factory's arguments, of which template, enable_thinking and model_name_or_path are read.
    """
    from llamafactory.data import get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments
    from transformers import AutoTokenizer

    load = partial(AutoTokenizer.from_pretrained, config["model_name_or_path"], trust_remote_code=False)
    chat = [{"role": role, "content": text} for role, text in (("system", "甲"), ("user", "乙"), ("assistant", "丙"))]
    thinking = config.get("enable_thinking", True)
    asked: Any = load().apply_chat_template(
        chat[:-1], add_generation_prompt=True, tokenize=True, return_dict=False, enable_thinking=thinking
    )
    tokenizer = load()
    arguments = DataArguments(template=config.get("template"), enable_thinking=thinking)
    template = get_template_and_fix_tokenizer(tokenizer, arguments)
    trained, _ = template.encode_oneturn(tokenizer, chat[1:], chat[0]["content"])
    if list(asked) == trained:
        return ""
    return (
        f"template={config.get('template')}: LLaMA-Factory trains on the prompt {tokenizer.decode(trained)!r}, the "
        f"tokenizer's chat template builds {tokenizer.decode(asked)!r}. Name the base's own template, such as "
        "make sft ARGS=template=llama3; llamafactory/data/template.py lists them."
    )


def main(config_file: str) -> None:
    """Run LLaMA-Factory's training on a YAML file."""
    prepare()
    if fault := template_fault(yaml.safe_load(Path(config_file).read_text(encoding="utf-8"))):
        sys.exit(f"error: {fault}")
    from llamafactory.cli import main as llamafactory_cli  # only now: it imports torchaudio

    sys.argv = ["llamafactory-cli", "train", config_file]
    llamafactory_cli()


if __name__ == "__main__":
    main(sys.argv[1])
