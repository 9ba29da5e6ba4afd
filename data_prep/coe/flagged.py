"""Questions that a reviewer called acute: they leave the set and every later draw."""

from pathlib import Path
from typing import Final

from common.files import FileError, read_json_lines

# Below the run's folder; `make review` writes it.
FLAGGED: Final = Path("review") / "flagged.jsonl"


def flagged(path: Path) -> set[str]:
    """The ids of a file of flagged questions; none without one.

    Raises:
        FileError: a line without an id.
    """
    if not path.is_file():
        return set()
    found = set()
    for number, line in read_json_lines(path):
        if not isinstance(line.get("id"), str):
            raise FileError(f"{path}:{number}: no id, expected one of a question. Correct the line.")
        found.add(line["id"])
    return found
