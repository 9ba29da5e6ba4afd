"""Our own sample corpus, and any corpus written in its format: JSON Lines, one question a line.

Keys: ``id``, ``title``, ``description`` (may be ""), ``responses`` (a list of objects with ``text`` and, where known,
``counsellor``); and where there are such: ``topic``, ``crisis`` (true or false), ``coe`` (an object, a key a layer),
``provenance`` (an object: where the chain comes from, which is not looked at).
The shipped corpus has all of them and stricter lengths: ``sample_corpus/schema.json``.
"""

from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ConfigDict, model_validator

from common.records.question import Question
from data_prep.corpora import sources
from data_prep.corpora.checks import Identifier, Label, Record, Some, Text, checked, refuse
from data_prep.corpora.folders import is_regular, no_file
from data_prep.corpora.records import CorpusError, Entry, Intake
from reward_fns.coe_format import LAYERS

SAMPLE_CORPUS: Final = Path(__file__).resolve().parent.parent / "sample_corpus"
# Posts of SMILECHAT in the same format, for training alone; its README says where from.
SMILECHAT_POSTS: Final = Path(__file__).resolve().parent.parent / "smilechat_posts"


class _Strict(Record):
    # A misspelt key (``crises``) would otherwise be lost without a word.
    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _one_unknown(cls, value: object) -> object:
        """Keep no unknown key but the first: pydantic builds an error for each."""
        if not isinstance(value, dict):
            return value
        first = next((key for key in value if key not in cls.model_fields), None)
        return {key: item for key, item in value.items() if key in cls.model_fields or key == first}


class _Response(_Strict):
    counsellor: str | None = None
    text: Text


def _absent(value: object) -> object:
    return False if value is None else value


def _of_all_layers(chain: object) -> object:
    if isinstance(chain, dict) and chain.keys() != set(LAYERS):
        refuse("not every layer", f"the layers {list(LAYERS)} and no other key", "Add or rename them.")
    return chain


class _Line(_Strict):
    id: Identifier
    title: Text
    description: Label
    topic: Label = ""
    crisis: Annotated[bool, BeforeValidator(_absent)] = False
    responses: Some[_Response]
    coe: Annotated[dict[str, Text], BeforeValidator(_of_all_layers)] | None = None
    provenance: dict[str, Any] | None = None


def load(path: Path, intake: Intake, encoding: str = "utf-8") -> list[Question]:
    """The questions of one file, or of all ``.jsonl`` files of a folder in order of name.

    Records with a bad field, an unknown key or an id met before go to ``intake`` as rejected.

    Raises:
        CorpusError: no such file in the folder, or what ``sources.read`` raises.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise CorpusError(f"{path}: no .jsonl file in this folder, expected one. Check the corpus path.")
    others = {file for file in files if path.is_dir() and not is_regular(file)}
    entries = chain.from_iterable(
        [Entry(file.name, no_file(file.name))] if file in others else sources.read(file, encoding) for file in files
    )
    return intake.distinct(entries, _question, "id")


def _question(value: object, where: str) -> Question:
    line = checked(_Line, value, where)
    return Question(
        id=line.id,
        title=line.title,
        description=line.description,
        topic=line.topic,
        responses=tuple(response.text for response in line.responses),
        coe=tuple(line.coe[name] for name in LAYERS) if line.coe else None,
        crisis=line.crisis,
    )
