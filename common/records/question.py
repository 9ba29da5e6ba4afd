"""A counselling question with all its human responses: the record that data preparation works on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

import pyarrow as pa

from common.records.risk import Kind, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One long counselling post, as section 2 of the paper describes it, with all its human responses.

    Attributes:
        id: unique within its corpus.
        title: the question in a line.
        description: the post itself, in characters the unit of every length here.
        topic: the corpus's own label; "" where the corpus has none.
        subtopic: its finer label; "" where there is none.
        responses: human responses; at least one after cleaning.
        coe: a CoE chain, a text a layer (`reward_fns.coe_format.LAYERS`); None where the corpus brings none. The sample
            corpus's chains are written for this project, not reviewed.
        crisis: the corpus marks the asker as being at acute risk. Such a post is never an RL prompt.
        risk_level: how much risk ``data_prep.risk`` sees in the post. A post at risk is no RL prompt by default.
        risks: the kinds of that risk.
        train_only: never a question of test or validation.
        group: the id that stands for all near-duplicates of this question; "" before they are looked for.
        emotion: label of the post; "" before labelling, or where it shows none.
        response_emotions: label of each response; empty before labelling.
    """

    id: str
    group: str = ""
    title: str
    description: str
    topic: str = ""
    subtopic: str = ""
    crisis: bool = False
    train_only: bool = False
    risk_level: Level = "none"
    risks: tuple[Kind, ...] = ()
    emotion: str = ""
    responses: tuple[str, ...]
    response_emotions: tuple[str, ...] = ()
    coe: tuple[str, ...] | None = None

    @property
    def at_risk(self) -> bool:
        """Whether the corpus marks acute risk, or the tags see risk of any level."""
        return self.crisis or self.risk_level != "none"

    @property
    def post(self) -> str:
        """The user turn and the reward model's question: title and description (section 2)."""
        return f"{self.title}\n{self.description}" if self.description else self.title


_ARROW: Final[dict[Any, pa.DataType]] = {str: pa.string(), bool: pa.bool_(), Level: pa.string()}
# A column a field, in their order.
QUESTION_SCHEMA: Final = pa.schema(
    [(name, _ARROW.get(kind, pa.list_(pa.string()))) for name, kind in get_type_hints(Question).items()]
)


def to_table(questions: Sequence[Question]) -> pa.Table:
    """The questions as a table of `QUESTION_SCHEMA`."""
    columns = {name: [getattr(question, name) for question in questions] for name in QUESTION_SCHEMA.names}
    return pa.Table.from_pydict(columns, schema=QUESTION_SCHEMA)


def from_table(table: pa.Table) -> Iterator[Question]:
    """The questions of a table that has the columns of `QUESTION_SCHEMA`, others beside them or not.

    Raises:
        ValueError: a column is missing or of another type; the message names what was found.
    """
    try:
        table = table.select(QUESTION_SCHEMA.names).cast(QUESTION_SCHEMA)
    except (KeyError, pa.ArrowException) as error:
        raise ValueError(f"columns {table.schema.names}, expected those of a question: {error}") from error
    for row in table.to_pylist():
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        yield Question(**values)
