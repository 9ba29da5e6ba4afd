"""A token-classification model as one more recogniser, for whoever asks for one.

Any Hugging Face model with BIO labels for persons, organisations or addresses will do; custom code that comes with a
model is not run. Which model is any good on counselling posts is not decided here, and none is loaded by default.
"""

from typing import Any, Final

import torch
import transformers
from presidio_analyzer.chunkers import TokenizerBasedTextChunker
from presidio_analyzer.predefined_recognizers.ner import HuggingFaceNerRecognizer, huggingface_ner_recognizer

from data_prep.anonymise.presidio import RecognizerResult

# `presidio` imported it without these.
vars(huggingface_ner_recognizer).update(hf_pipeline=transformers.pipeline, torch=torch)

_LABELS: Final = {
    **dict.fromkeys(("PER", "PERSON", "NAME", "PS"), "姓名"),
    **dict.fromkeys(("ORG", "ORGANIZATION", "COMPANY", "GOVERNMENT", "OG"), "单位"),
    **dict.fromkeys(("LOC", "LOCATION", "ADDRESS", "LC"), "地址"),
}
_OVERLAP: Final = 32
# Models that number positions from 2 on (RoBERTa) take so many tokens less than they have positions.
_FIRST_POSITIONS: Final = 2
# A rule that fires is surer than a model at its surest.
_CEILING: Final = 0.4


class ModelRecognizer(HuggingFaceNerRecognizer):
    """Persons, organisations and addresses as a model sees them, in windows as long as it can read."""

    ner_pipeline: Any

    def __init__(self, model: str, threshold: float = 0.5) -> None:
        """Load the model on the CPU.

        Args:
            model: its name or folder.
            threshold: how sure the model has to be, 0 to 1.

        Raises:
            OSError: no such model.
            ValueError: a model that needs custom code, or a tokenizer that does not tell offsets.
        """
        super().__init__(
            supported_entities=sorted(set(_LABELS.values())),
            name="token classification",
            supported_language="zh",
            model_name=model,
            label_mapping=_LABELS,
            threshold=threshold,
            device="cpu",
            text_chunker=TokenizerBasedTextChunker(),
        )

    def load(self) -> None:
        """Load the pipeline and measure its window."""
        super().load()
        tokenizer, config = self.ner_pipeline.tokenizer, self.ner_pipeline.model.config
        positions = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
        window = min(tokenizer.model_max_length, positions - _FIRST_POSITIONS)
        window -= tokenizer.num_special_tokens_to_add(pair=False)
        self.text_chunker = TokenizerBasedTextChunker(tokenizer, window, min(_OVERLAP, window // 4))

    def _predict_chunk(self, chunk_text: str) -> list[RecognizerResult]:
        """One window. Presidio's own would log a failing model and leave the text as it is; this one lets it fail."""
        return [
            RecognizerResult(_LABELS[label], entity["start"], entity["end"], float(entity["score"]) * _CEILING)
            for entity in self.ner_pipeline(chunk_text)
            if (label := self._normalize_label(entity["entity_group"]).upper()) in _LABELS
            and entity["score"] >= self.threshold
        ]
