"""What `make data` decided and every later stage follows: read from its manifest, never from the profile's file.

After `make data ARGS=prompt=plain` or with other limits, SFT, generation and evaluation go by these, whatever the
profile says.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.errors import StageError
from common.manifest import read_manifest
from common.settings import build


@dataclass(frozen=True)
class DataDecisions:
    """What was decided once for all stages.

    Attributes:
        data_source: the corpus's name, and so the test set's.
        prompt: the system prompt's name, a key of `data_prep.prompts.SYSTEM_PROMPTS`.
        system_prompt: its text.
        enable_thinking: passed to the chat template.
        max_prompt_tokens: longest prompt, by the chat template.
        max_response_tokens: longest response, its end mark included.
        model: the base model whose tokenizer counted.
    """

    data_source: str
    prompt: str
    system_prompt: str
    enable_thinking: bool
    max_prompt_tokens: int
    max_response_tokens: int
    model: str

    @property
    def template_kwargs(self) -> dict[str, bool]:
        """What every stage passes to the chat template."""
        return {"enable_thinking": self.enable_thinking}

    @property
    def kind(self) -> str:
        """What an output of a model trained on the data looks like: "coe" or "plain"."""
        return "coe" if self.prompt == "coe" else "plain"

    @property
    def max_tokens(self) -> int:
        """Longest prompt and response together."""
        return self.max_prompt_tokens + self.max_response_tokens

    def result(self) -> dict[str, Any]:
        """As a part of the data stage's result."""
        return {"decided": asdict(self)}


def read_decisions(root: Path) -> DataDecisions:
    """What `make data` decided in the folder that holds a folder a stage.

    Raises:
        StageError: the data are missing, not whole, or of a version that wrote no decisions.
    """
    manifest = read_manifest(root / "data", "data")
    if "decided" not in manifest.result:
        raise StageError(f"{root / 'data'} was made by an older version. Run `make data ARGS=force=true`.")
    return build(DataDecisions, manifest.result["decided"], str(root / "data"))


def check_model(decided: DataDecisions, model: str, stage: str) -> None:
    """The base model is the one whose tokenizer and template `make data` used.

    Raises:
        StageError: it is another; both are named.
    """
    if decided.model != model:
        raise StageError(
            f"{stage}: model={model}, but the data was prepared with model={decided.model}, whose tokenizer and chat "
            f"template it fits. Give both the same MODEL=, or run `make data MODEL={model}`."
        )
