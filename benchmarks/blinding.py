"""How often the blinding of replies replaces something in texts of one's own, and what.

    python -m benchmarks.blinding data_prep/sample_corpus/*.jsonl psyqa.json smilechat.jsonl

Reads every text of JSON or JSON Lines files, whatever their shape, and prints how many there are, how many characters
they have, and each string that was replaced with how often. In texts by people, which speak of no model, each is wrong.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from eval.blinding import without_names


def texts_of(content: Any) -> Iterator[str]:
    """All strings of a parsed JSON, keys aside."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from texts_of(value)


def read(path: Path) -> Iterator[str]:
    """The texts of a file."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".json":
        yield from texts_of(json.loads(text))
    else:
        for line in text.split("\n"):
            yield from texts_of(json.loads(line or "[]"))


def main() -> None:
    """Read the files named on the command line and print what was replaced."""
    texts = characters = 0
    replaced: Counter[str] = Counter()
    for text in (text for name in sys.argv[1:] for text in read(Path(name))):
        texts, characters = texts + 1, characters + len(text)
        before, after = text.strip(), without_names(text, [])
        if before != after:
            parts = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            replaced.update(before[start:end] for kind, start, end, _, _ in parts if kind != "equal")
    print(f"{texts} texts, {characters} characters, {replaced.total()} replacements")
    for part, times in replaced.most_common():
        print(f"{times:6} {part}")


if __name__ == "__main__":
    main()
