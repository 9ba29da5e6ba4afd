"""Prepares one corpus in a process of its own, for `benchmarks.data_prep`, and prints each step's seconds as JSON.

    python -m benchmarks.prepare_one CORPUS WORKERS [patterned]

With ``patterned`` only types of personal data that have a pattern are masked: no names, schools, employers, addresses.

Like `recipes.data` it imports what takes seconds inside its functions: the workers import this file once more.
"""

import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any


def main(corpus: Path, workers: int, names: bool) -> None:
    """Load, prepare and report."""
    from data_prep.anonymise.entities import TYPES as ENTITY_TYPES
    from data_prep.config import DataConfig
    from data_prep.corpora import load_corpus
    from data_prep.prepare import prepare
    from data_prep.report import write_report

    started = time.perf_counter()
    loaded = load_corpus(corpus)
    seconds = {"loading": round(time.perf_counter() - started, 2)}
    config = DataConfig(data_source="benchmark", workers=workers)
    if not names:
        config = replace(config, mask=[type for type in config.mask if type not in ENTITY_TYPES])
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(loaded, load_corpus(None), {}, tokenizer(), config, Path(folder))
        seconds |= prepared.seconds
        started = time.perf_counter()
        write_report(prepared, config, Path(folder))
        seconds["report"] = round(time.perf_counter() - started, 2)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    print(
        json.dumps(
            {
                "questions": prepared.tally.stages["questions"].came_in,
                "responses": prepared.tally.stages["responses"].came_in,
                "steps": seconds,
                "written_mb": round(size / 1e6),
                "largest_process_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
            }
        )
    )


def tokenizer() -> Any:
    """A byte-level BPE of 3,000 tokens, about what the tiny profile builds, with ChatML."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from data_prep.corpora import load_corpus

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=3000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bpe.train_from_iterator([text for question in load_corpus(None).questions for text in question.responses], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe)
    fast.chat_template = "{% for m in messages %}{{ m.role }}\n{{ m.content }}\n{% endfor %}"
    return fast


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), "patterned" not in sys.argv[3:])
