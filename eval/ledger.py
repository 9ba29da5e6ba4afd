"""What finished runs have scored: a line a model and seed, in a file that git tracks.

Tables are drawn from it without the runs. It holds figures by question, and of posts and replies nothing but the
questions' ids.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from common.files import FileError, read_json_lines, write_json_lines
from eval.results import Result
from eval.statistics import Interval
from eval.tables import Standings

FORMAT: Final = 3
# Figures are rounded, so that a line is a third as long.
_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of one run.

    Attributes:
        profile: of the run.
        corpus: that it was trained on, by name.
        model: its name in tables.
        seed: of the run.
        settings: a digest of all other settings of the training; runs of one digest differ in their seed alone.
        asked: a digest of how the model was asked and scored; "" for a run without signal, which was not.
        commit: of the code that trained it; of the code that asked it where the run did not train it.
        started: when that began, local time.
        seconds: how long the last attempt of the model's own stage took; None of a model that the run did not train.
        results: of both protocols and every test set; none for a run without signal.
        no_signal: why there is none, "" for a run that has a result.
        rewards: mean reward of each GRPO step; none without GRPO.
        rankings: what people, by test set, made of this model.
        ranked_among: how many models they ranked; 0 for no ranking.
    """

    profile: str
    corpus: str
    model: str
    seed: int
    settings: str
    asked: str
    commit: str
    started: str
    seconds: float | None
    results: list[Result] = field(default_factory=list)
    no_signal: str = ""
    rewards: list[float] = field(default_factory=list)
    rankings: dict[str, dict[str, Interval]] = field(default_factory=dict)
    ranked_among: int = 0

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What a later line replaces."""
        return self.profile, self.corpus, self.model, self.seed, self.settings

    def plain(self) -> dict[str, Any]:
        """As values that JSON takes."""
        own = {key.name: getattr(self, key.name) for key in fields(self)}
        rankings = {name: {key: asdict(one) for key, one in each.items()} for name, each in self.rankings.items()}
        results = [result.plain() for result in self.results]
        content = _rounded({"format": FORMAT, **own, "results": results, "rankings": rankings})
        assert isinstance(content, dict)
        return content

    @classmethod
    def of_plain(cls, content: dict[str, Any]) -> "Entry":
        """What `plain` gave.

        Raises:
            KeyError, TypeError, AttributeError, ValueError: something else.
        """
        if (version := content["format"]) != FORMAT:
            raise ValueError(f"format {version}, expected {FORMAT}: of another version of the project")
        own = {key: value for key, value in content.items() if key != "format"}
        rankings: dict[str, Standings] = own["rankings"]
        read = {name: {key: Interval(**one) for key, one in each.items()} for name, each in rankings.items()}  # type: ignore[arg-type]
        return cls(**{**own, "results": [Result.of_plain(one) for one in own["results"]], "rankings": read})


def read_entries(path: Path) -> list[Entry]:
    """The last line of every model and seed, in the order of those lines; none without a file.

    Raises:
        FileError: a line that is none of `add_entries`; the message names it.
    """
    found: dict[tuple[str, str, str, int, str], Entry] = {}
    for number, record in read_json_lines(path) if path.is_file() else ():
        try:
            entry = Entry.of_plain(record)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise FileError(
                f"{path}:{number}: {error!r}, expected a line of `make tables`. Set the file aside "
                "and run `make tables`: it enters every run that is there."
            ) from error
        found.pop(entry.key, None)
        found[entry.key] = entry
    return list(found.values())


def add_entries(path: Path, entries: Sequence[Entry]) -> int:
    """Append what the file does not tell yet, whole or not at all; returns how many lines."""
    known = {entry.key: entry.plain() for entry in read_entries(path)}
    fresh = [entry for entry in entries if known.get(entry.key) != entry.plain()]
    if fresh:
        before: Iterable[dict[str, Any]] = (record for _, record in read_json_lines(path)) if path.is_file() else ()
        write_json_lines(path, [*before, *(json.loads(json.dumps(entry.plain())) for entry in fresh)])
    return len(fresh)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
