"""The corpora beside the one that data is made from (`train_on`, `tests`, `exclude`), and how each of them is read."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from data_prep.config import DataConfig, ReadConfig
from data_prep.corpora import Corpus, CorpusError, Reading, Rule, corpus_name, load_corpus
from data_prep.corpora.sample import SMILECHAT_POSTS

# The keys that name them.
KEYS: Final = ("train_on", "tests", "exclude")
# What a message about a corpus says of the keys of `ReadConfig`; for a further corpus they stand below its name.
_SAID: Final = re.compile(r"(?<![\w.])(?=(?:columns\.\w+|format|encoding|crisis_values)=)")


def further(key: str, config: DataConfig) -> dict[str, Corpus]:
    """The corpora of one of ``KEYS``, by name.

    Raises:
        CorpusError: as `load_corpus`; the keys in its message are those of this corpus.
        ValueError: two corpora of one name.
    """
    corpora: dict[str, Corpus] = {}
    for path in map(Path, getattr(config, key) or []):
        # A test set is called by what it is: the marks of models that have read it go by that.
        name = named(path, config) if key == "tests" else _stem(path)
        if name in corpora:
            raise ValueError(f"{key}: two corpora are called {name!r}, expected names of their own. Rename a file.")
        own = _read(path, config)
        try:
            corpus = load_corpus(
                path,
                own.format,
                columns=own.columns,
                encoding=own.encoding,
                crisis_values=own.crisis_values,
                reading=reading(config),
                max_record_mb=config.max_record_mb,
            )
        except CorpusError as error:
            raise _retold(path, error) from error
        # Theirs by origin, ours by format.
        corpora[name] = replace(corpus, format="smilechat") if path == SMILECHAT_POSTS else corpus
    return corpora


def named(path: Path, config: DataConfig) -> str:
    """What a further corpus is called, see `corpus_name`.

    Raises:
        CorpusError: as `further`.
    """
    own = _read(path, config)
    try:
        return corpus_name(path, own.format, own.encoding, own.columns)
    except CorpusError as error:
        raise _retold(path, error) from error


def check_reads(config: DataConfig) -> None:
    """Whether each name of ``reads`` is a further corpus's.

    Raises:
        ValueError: one is not.
    """
    names = sorted({_stem(path) for path in _paths(config)})
    if strange := sorted(set(config.reads) - set(names)):
        raise ValueError(
            f"reads.{strange[0]}: no corpus of this name, expected one of {names}, the names of the files of "
            f"{', '.join(KEYS)} up to their first dot. Correct the key."
        )


def reading(config: DataConfig) -> Reading:
    """How dialogues are read, of every corpus."""
    return Reading(Rule(config.dialogue_post, config.dialogue_response, config.min_response_chars), config.roles)


def _read(path: Path, config: DataConfig) -> ReadConfig:
    return config.reads.get(_stem(path), ReadConfig())


def _retold(path: Path, error: CorpusError) -> CorpusError:
    return CorpusError(_SAID.sub(f"reads.{_stem(path)}.", str(error)))


def _paths(config: DataConfig) -> Iterator[Path]:
    return (Path(path) for key in KEYS for path in getattr(config, key) or [])


def _stem(path: Path) -> str:
    return path.name.split(".")[0]
