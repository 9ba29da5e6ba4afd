"""A Hugging Face text classifier for the risk of posts; a long post is read in windows, and the worst one counts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tqdm import tqdm

from common.records.risk import LEVELS, Level
from data_prep.risk.model.answers import Answers, Said
from data_prep.risk.model.config import RiskTaggerConfig

_WINDOW: Final = 512  # tokens at most, for a tokenizer that names no limit
_OVERLAP: Final = 64
_BATCH: Final = 32


class RiskClassifier:
    """The classifier, ready to use."""

    def __init__(self, config: RiskTaggerConfig) -> None:
        """Load model and tokenizer.

        Raises:
            OSError: there is none under this name.
            ValueError: a label of the model is no level and ``risk.labels`` gives it none.
        """
        # Imported where one is asked for: torch takes seconds.
        import torch
        import transformers

        self._torch = torch
        self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(config.model, trust_remote_code=False)
        self._model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
            config.model, trust_remote_code=False
        ).eval()
        self._levels = levels_of(self._model.config.id2label, config.labels)
        longest = min(self._tokenizer.model_max_length, getattr(self._model.config, "max_position_embeddings", _WINDOW))
        self._window = min(longest, _WINDOW)

    def __call__(self, posts: Sequence[str]) -> list[Level]:
        """The level of each post."""
        tokens = self._tokenizer(
            list(posts),
            truncation=True,
            max_length=self._window,
            stride=min(_OVERLAP, self._window // 4),
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        owners = tokens.pop("overflow_to_sample_mapping").tolist()
        with self._torch.inference_mode():
            labels = self._model(**tokens).logits.argmax(-1).tolist()
        worst = [0] * len(posts)
        for owner, label in zip(owners, labels, strict=True):
            worst[owner] = max(worst[owner], LEVELS.index(self._levels[label]))
        return [LEVELS[place] for place in worst]


def check_labels(config: RiskTaggerConfig) -> None:
    """Look at the model's configuration alone, which is quick.

    Raises:
        OSError: there is no such model.
        ValueError: a label of the model is no level and ``risk.labels`` gives it none.
    """
    import transformers

    found = transformers.AutoConfig.from_pretrained(config.model, trust_remote_code=False)
    levels_of(found.id2label, config.labels)


def levels_of(labels: Mapping[int, str], given: Mapping[str, str]) -> dict[int, Level]:
    """The level of each of a model's labels.

    Args:
        labels: of the model, by number.
        given: levels by label, from ``risk.labels``.

    Raises:
        ValueError: a label without a level, or a level for a label that the model does not have.
    """
    if foreign := sorted(set(given) - set(labels.values())):
        raise ValueError(f"risk.labels: the model has no label {foreign[0]!r}, but {sorted(labels.values())}.")
    named = {number: given.get(label, label.lower()) for number, label in labels.items()}
    if none := sorted(labels[number] for number, level in named.items() if level not in LEVELS):
        raise ValueError(
            f"risk.labels: no level for the model's label {none[0]!r}. Give each of {sorted(labels.values())} one of "
            f"{', '.join(LEVELS)}, such as risk.labels.{none[0]}={LEVELS[0]}."
        )
    return {number: LEVELS[LEVELS.index(level)] for number, level in named.items()}


def classify(posts: Sequence[str], config: RiskTaggerConfig, answers: Answers) -> None:
    """Classify the posts that have no answer yet; a batch's answers are kept as they come.

    Raises:
        ValueError: as `RiskClassifier`.
        OSError: likewise.
    """
    waiting = list(dict.fromkeys(post for post in posts if answers.get(post) is None))
    if not waiting:
        return
    classifier = RiskClassifier(config)
    with tqdm(total=len(waiting), desc="classifying risks", unit="post", disable=None) as bar:
        for start in range(0, len(waiting), _BATCH):
            part = waiting[start : start + _BATCH]
            for post, level in zip(part, classifier(part), strict=True):
                answers.add(post, "read", Said(level=level, kinds=[]))
            bar.update(len(part))
