"""What a ranking stage, people's or the judge's, says of each model: read from its file for tables and the report."""

import json
from pathlib import Path

from common.files import FileError
from eval.figures import figures_of
from eval.statistics import Interval

# Win@1, Win@2 and mean rank by model.
Standings = dict[str, dict[str, Interval]]


def read_standings(path: Path) -> tuple[str, Standings]:
    """The test set's name, "" where the file tells none, and the models; none where no question is ranked whole yet.

    Args:
        path: ``ranking.json`` of `make ranking` or ``judge.json`` of `make judge`.

    Raises:
        FileError: not such a file.
    """
    keys = figures_of("ranking")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        models = {
            name: {key: Interval(**{end: float(own[key][end]) for end in ("mean", "low", "high")}) for key in keys}
            for name, own in content["models"].items()
        }
        return str(content.get("test_set", "")), models
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise FileError(f"{path}: {error!r}, expected mean, low and high of {', '.join(keys)} by model") from error
