"""The settings of a reward model: what the paper leaves open (section 3.3.2), in one place for recipe and training."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from sentence_transformers import SentenceTransformerTrainingArguments

from common.settings import check, limited, one_of
from reward_fns.training.choosing import RULES

STATIC: Final = "static"
# Arguments of the library's trainer that are set here.
_OWN_ARGUMENTS: Final = ("output_dir", "seed", "num_train_epochs", "batch_sampler", "load_best_model_at_end")


@dataclass(frozen=True)
class RewardModelConfig:
    """Encoder, margin m, negatives, training and threshold.

    Attributes:
        encoder: "static" for an embedding bag over the base's tokenizer (seconds on a CPU), else a
            sentence-transformers id or folder.
        dimension: of the embedding bag.
        encoder_config: changes to the encoder's own configuration, such as no dropout; an embedding bag has none.
        whiten: adds a linear layer that takes the training texts' mean off and divides each principal axis by its
            spread to this power: 0 for the mean alone, 1 for equal spread; null for no layer.
        lexical: weight of word overlap beside the encoder's 1, see `reward_fns.lexical`; 0 for none.
        frozen: parts of parameters' names, such as "layer.0."; these parameters stay as they are.
        margin: m of Eq. 5.
        in_batch: share of the in-batch negatives in the loss, 0 to 1.
        epoch_share: share of the triplets that an epoch draws anew, 0 to 1.
        epochs: passes over the triplets.
        tokens: longest text in training; null for the encoder's own limit, which holds in use anyway.
        dev_triplets: how many training triplets are set aside, by question, to choose the best state by; 0 for none.
        start_share: of the weights that training began with in those that are kept, 0 to 1.
        heldout_triplets: from how many held-out triplets, whole questions of them, T and the comparison follow at most.
        threshold_rule: how T of Eq. 6 follows from the held-out pairs: "youden", "fpr", "fpr_each" or "tpr", see
            `reward_fns.training.choosing`.
        threshold_rate: the rate that the rules but the first keep.
        generic_replies: how many are kept for the reward's mode ``margin``.
        device: where it is trained.
        training: arguments of SentenceTransformerTrainingArguments.
    """

    encoder: str
    dimension: int = limited(256, 1)
    encoder_config: dict[str, Any] = field(default_factory=dict)
    whiten: float | None = limited(None, 0, 1)
    lexical: float = limited(0.0, 0)
    frozen: list[str] = field(default_factory=list)
    margin: float = limited(0.3, 0)
    in_batch: float = limited(0.5, 0, 1)
    epoch_share: float = limited(1.0, 0, 1)
    epochs: int = limited(1, 1)
    tokens: int | None = limited(None, 1)
    dev_triplets: int = limited(300, 0)
    start_share: float = limited(0.0, 0, 1)
    heldout_triplets: int = limited(20000, 1)
    threshold_rule: str = field(default="youden", metadata=one_of(RULES))
    threshold_rate: float = limited(0.05, 0, 1)
    generic_replies: int = limited(32, 1)
    device: str = "cpu"
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Stop before anything is touched where training cannot start.

        Raises:
            ValueError: a value out of its range, no such folder or an unknown training argument; the message names the
                key.
        """
        check(self)
        for name in ("margin", "epoch_share"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name}=0: expected above 0.")
        if self.encoder == STATIC and (self.encoder_config or self.tokens is not None):
            raise ValueError("encoder=static takes no encoder_config and no tokens: a bag reads whole texts.")
        if self.encoder.startswith(("/", "./", "../", "~")) and not Path(self.encoder).is_dir():
            raise ValueError(f"encoder={self.encoder}: no such folder. Name a folder, a hub id or static.")
        known = {argument.name for argument in fields(SentenceTransformerTrainingArguments)} - set(_OWN_ARGUMENTS)
        if unknown := sorted(set(self.training) - known):
            raise ValueError(
                f"training.{unknown[0]}: no argument of SentenceTransformerTrainingArguments that is left to you "
                f"({', '.join(_OWN_ARGUMENTS)} are set by seed=, epochs= and the stage)."
            )
