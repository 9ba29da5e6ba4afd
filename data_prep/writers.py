"""What each stage reads, written as that stage's program wants it; every file is replaced whole.

LLaMA-Factory reads ``sft.json`` by the entry in ``dataset_info.json`` beside it; verl the ``prompt`` messages, and its
reward function ``data_source``, ``reward_model`` and ``extra_info``, from ``grpo_*.parquet``; sentence-transformers
``triplets.parquet``; evaluation ``test.parquet``.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from common.files import replacing, write_json, write_text
from common.records.question import QUESTION_SCHEMA, Question
from common.records.references import TEST_COLUMNS
from common.records.triplets import Triplet
from data_prep.prompts import chat_messages
from data_prep.split import Split

# The dataset's name in ``dataset_info.json``, for LLaMA-Factory's ``dataset:``.
SFT_DATASET: Final = "coe_sft"

RlSplit = Literal["train", "val"]

ABILITY: Final = "counselling"

_STRINGS = pa.list_(pa.string())
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_GRPO_SCHEMA = pa.schema(
    [
        ("data_source", pa.string()),
        ("prompt", _MESSAGES),
        ("ability", pa.string()),
        ("reward_model", pa.struct([("style", pa.string()), ("ground_truth", pa.string())])),
        (
            "extra_info",
            pa.struct(
                [
                    ("index", pa.int64()),
                    ("split", pa.string()),
                    ("question_id", pa.string()),
                    ("question", pa.string()),
                    ("topic", pa.string()),
                ]
            ),
        ),
    ]
)
_TRIPLET_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("question_id", "question", "positive", "negative", "kind", "split")]
)
_TEST_KINDS = {"crisis": pa.bool_(), "risks": _STRINGS, "references": _STRINGS, "prompt": _MESSAGES}
_TEST_SCHEMA = pa.schema([(name, _TEST_KINDS.get(name, pa.string())) for name in TEST_COLUMNS])
_QUESTION_SCHEMA = QUESTION_SCHEMA.insert(1, pa.field("split", pa.string()))
_ROWS = 4096


@dataclass(frozen=True, slots=True)
class SftSample:
    """One turn to train on: the system prompt, a question's post, and the output wanted."""

    question_id: str
    system: str
    post: str
    output: str

    @property
    def messages(self) -> list[dict[str, str]]:
        """The whole conversation: system, user, assistant."""
        return [*chat_messages(self.system, self.post), {"role": "assistant", "content": self.output}]


def write_sft_json(path: Path, samples: Iterable[SftSample]) -> None:
    """Write LLaMA-Factory's alpaca rows (one system, one user, one assistant turn) and ``dataset_info.json`` beside."""
    write_json(path, [{"system": each.system, "instruction": each.post, "output": each.output} for each in samples])
    entry = {
        "file_name": path.name,
        "formatting": "alpaca",
        "columns": {"system": "system", "prompt": "instruction", "response": "output"},
    }
    # ASCII: LLaMA-Factory opens it in the locale's encoding.
    write_text(path.with_name("dataset_info.json"), json.dumps({SFT_DATASET: entry}, indent=1) + "\n")


def write_grpo_parquet(
    path: Path, questions: Sequence[Question], system_prompt: str, data_source: str, split: RlSplit
) -> None:
    """Write verl's prompts.

    The reward is worked out from ``extra_info.question``; ``reward_model.ground_truth`` carries the first human
    response, for verl's logs only.

    Args:
        questions: none of them marked as at acute risk by the corpus.
        data_source: the corpus; verl groups its validation metrics by it.

    Raises:
        ValueError: a question is marked as at acute risk.
    """
    if risky := [question.id for question in questions if question.crisis]:
        raise ValueError(f"question {risky[0]} is at acute risk and never an RL prompt. Leave it out.")
    rows = (
        {
            "data_source": data_source,
            "prompt": chat_messages(system_prompt, question.post),
            "ability": ABILITY,
            "reward_model": {"style": "rule", "ground_truth": question.responses[0]},
            "extra_info": {
                "index": index,
                "split": split,
                "question_id": question.id,
                "question": question.post,
                "topic": question.topic,
            },
        }
        for index, question in enumerate(questions)
    )
    _write(path, rows, _GRPO_SCHEMA)


def write_triplets_parquet(path: Path, triplets: Iterable[Triplet]) -> None:
    """Write the reward model's rows as they come, one column per field of ``Triplet``."""
    columns = {name: attrgetter(name) for name in _TRIPLET_SCHEMA.names}
    _write_pieces(
        path, triplets, _TRIPLET_SCHEMA, lambda piece: {name: list(map(get, piece)) for name, get in columns.items()}
    )


def write_questions_parquet(path: Path, split: Split) -> None:
    """Write all that was prepared, by split: cleaned, masked, tagged, labelled."""
    rows = (
        {**{name: getattr(question, name, None) for name in _QUESTION_SCHEMA.names}, "split": part}
        for part, members in split.parts.items()
        for question in members
    )
    _write(path, rows, _QUESTION_SCHEMA)


def write_test_parquet(path: Path, sets: Mapping[str, Iterable[Question]], system_prompt: str) -> None:
    """Write each test set's questions with all their human references and the prompt to generate from.

    Args:
        sets: by the test set's name.
    """
    rows = [
        {
            "id": question.id,
            "test_set": name,
            "title": question.title,
            "description": question.description,
            "question": question.post,
            "topic": question.topic,
            "crisis": question.crisis,
            "risk_level": question.risk_level,
            "risks": question.risks,
            "emotion": question.emotion,
            "references": list(question.responses),
            "prompt": chat_messages(system_prompt, question.post),
        }
        for name, questions in sets.items()
        for question in questions
    ]
    _write(path, rows, _TEST_SCHEMA)


def _write(path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
    _write_pieces(path, rows, schema, lambda piece: {name: [row[name] for row in piece] for name in schema.names})


def _write_pieces(
    path: Path, rows: Iterable[Any], schema: pa.Schema, columns: Callable[[list[Any]], dict[str, list[Any]]]
) -> None:
    """Write rows by pieces: the triplets of a large corpus hold each text several times over, gigabytes in all.

    A piece is compressed while the next one is made, on another core.
    """
    iterator = iter(rows)
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        writing: Future[None] | None = None
        while piece := list(islice(iterator, _ROWS)):
            table = pa.Table.from_pydict(columns(piece), schema=schema)
            if writing:
                writing.result()
            writing = pool.submit(writer.write_table, table)
        if writing:
            writing.result()
