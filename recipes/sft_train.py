"""The process in which LLaMA-Factory runs; started by `recipes.sft` with the composed YAML.

    python -m recipes.sft_train outputs/tiny/sft/llamafactory.yaml

The same as ``llamafactory-cli train``, which starts itself again through torchrun where there are several GPUs. One
thing is put in its way: LLaMA-Factory imports torchaudio for its audio models, and no build of it loads beside a CPU
torch. Where it is absent a placeholder stands in that imports and fails when used; text never uses it.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import NoReturn


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


def main(config_file: str) -> None:
    """Run LLaMA-Factory's training on a YAML file."""
    if importlib.util.find_spec("torchaudio") is None:
        _import_mm_plugin_without_torchaudio()
    from llamafactory.cli import main as llamafactory_cli  # only now: it imports torchaudio

    sys.argv = ["llamafactory-cli", "train", config_file]
    llamafactory_cli()


if __name__ == "__main__":
    main(sys.argv[1])
