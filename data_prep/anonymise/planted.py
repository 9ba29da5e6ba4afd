"""How names, schools, employers and addresses are found in real text: what is planted there, and what is masked.

Real posts were cleaned by their hosts: there is little to find and much to spoil. So recall is that of values which
writers put into real posts, and false alarms are counted where nothing was put.

    python -m data_prep.anonymise.planted recall CORPUS plants.jsonl [--show]
    python -m data_prep.anonymise.planted draw CORPUS places.jsonl --count 300 --seed 1
    python -m data_prep.anonymise.planted judge places.jsonl verdicts_1.jsonl verdicts_2.jsonl
    python -m data_prep.anonymise.planted marked texts.jsonl marks_1.jsonl marks_2.jsonl

CORPUS is anything that `load_corpus` reads, or JSON Lines of ``id`` and ``text``. A plant is a line with ``post`` (the
post's id), ``find`` (words of the post), ``replace`` (the same words with the plant), ``type``, ``value`` and ``full``
(whether a name is a full one). ``draw`` writes places with the sentence before and after masking; a verdict is a line
with the place's ``id`` and ``verdict``: right, wrong, or cuts for a place that cuts into a word. Each file of verdicts
is one reader's. ``marked`` counts what of the values that readers marked in real texts (a line of ``id`` and ``text``
each) is masked; a mark is a line with the text's ``id`` and ``values``, each with ``type``, ``start`` and ``length``.
"""

import argparse
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sklearn.metrics import cohen_kappa_score

from common.files import write_json_lines
from common.pages import table
from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.measure import same_place
from data_prep.anonymise.sentences import sentences
from data_prep.corpora import load_corpus

TYPES: Final = ("姓名", "学校", "单位", "地址")
VERDICTS: Final = ("right", "wrong", "cuts")

_BATCH: Final = 256
_PER: Final = 100_000
# Of a masked value, what counts as masked whatever its type.
_COVERED: Final = 0.8


class PlantError(ValueError):
    """A file of plants, places or verdicts that cannot be used; names file and line, and no words of a post."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the plants of one kind: how many, how many found with their type, how many masked by any type."""

    plants: int
    found: int
    masked: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Of the places of one type: how many, how many read, and how many each reader calls wrong or cutting."""

    places: int
    read: int
    wrong: tuple[int, ...]
    cuts: tuple[int, ...]


def recall(
    posts: Mapping[str, str], plants: Sequence[Mapping[str, Any]], anonymiser: Anonymiser
) -> tuple[dict[str, Recall], list[str]]:
    """What of the plants is found: by type, full names apart; and the missed ones with some text around.

    Raises:
        PlantError: a plant whose post or words are not there.
    """
    of_post = defaultdict(list)
    for number, plant in enumerate(plants, start=1):
        if plant["post"] not in posts or plant["value"] not in plant["replace"] or plant["type"] not in TYPES:
            raise PlantError(
                f"plant {number}: post {plant['post']!r} and a value inside of 'replace' with one of {list(TYPES)} "
                f"expected, one of them is missing. Correct the line."
            )
        of_post[plant["post"]].append((number, plant))
    texts = {}
    for post, own in of_post.items():
        text = posts[post]
        for number, plant in own:
            if plant["find"] not in text:
                raise PlantError(f"plant {number}: 'find' is no part of post {post!r}. Correct the line.")
            text = text.replace(plant["find"], plant["replace"], 1)
        texts[post] = text
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    missed = []
    for (post, text), result in zip(texts.items(), anonymiser.many([[text] for text in texts.values()]), strict=True):
        found = [(span.start, span.end, span.type) for _, span in result.found]
        for _, plant in of_post[post]:
            start = text.find(plant["replace"]) + plant["replace"].find(plant["value"])
            place = (start, start + len(plant["value"]), plant["type"])
            same = any(same_place(place, other) for other in found)
            kind = plant["type"] + (" (full)" if plant.get("full") else "")
            counts[kind][0] += 1
            counts[kind][1] += same
            counts[kind][2] += any(_covers(other, place) for other in found)
            if not same:
                missed.append(
                    f"missed {kind}: {text[max(0, start - 12) : start]}【{plant['value']}】{text[place[1] :][:12]}"
                )
    return {kind: Recall(*counts[kind]) for kind in sorted(counts)}, missed


def _covers(found: tuple[int, int, str], place: tuple[int, int, str]) -> bool:
    return min(found[1], place[1]) - max(found[0], place[0]) >= _COVERED * (place[1] - place[0])


def marked(
    texts: Mapping[str, str], marks: Sequence[Mapping[str, Any]], anonymiser: Anonymiser
) -> tuple[int, int, int]:
    """Of the values that a reader marked: how many, how many masked at the marked place, how many at any of theirs.

    Raises:
        PlantError: a text that is not there.
    """
    if missing := [mark["id"] for mark in marks if mark["id"] not in texts]:
        raise PlantError(f"no text for {len(missing)} marks, such as {missing[0]!r}. Name the texts that were read.")
    found = anonymiser.many([[texts[mark["id"]]] for mark in marks])
    counts = [0, 0, 0]
    for mark, result in zip(marks, found, strict=True):
        text, masks = texts[mark["id"]], [(span.start, span.end, span.type) for _, span in result.found]
        for value in mark["values"]:
            start, length = value["start"], value["length"]
            others = re.finditer(re.escape(text[start : start + length]), text)
            places = [(match.start(), match.end(), value["type"]) for match in others]
            hit = [any(_covers(mask, place) for mask in masks) for place in places]
            counts[0] += 1
            counts[1] += any(one and place[0] == start for one, place in zip(hit, places, strict=True))
            counts[2] += any(hit)
    return counts[0], counts[1], counts[2]


def masked_places(questions: Sequence[tuple[str, Sequence[str]]], anonymiser: Anonymiser) -> Iterator[dict[str, Any]]:
    """Every place that is masked in texts where nothing was planted: id, type, sentence before and after."""
    for begin in range(0, len(questions), _BATCH):
        batch = questions[begin : begin + _BATCH]
        for (name, texts), result in zip(batch, anonymiser.many([own for _, own in batch]), strict=True):
            for index, span in result.found:
                text = texts[index]
                start, sentence = next(
                    (start, one) for start, one in sentences(text) if start <= span.start < start + len(one)
                )
                end = max(start + len(sentence), span.end)
                yield {
                    "id": f"{name}/{index}/{span.start}",
                    "type": span.type,
                    "before": text[start:end],
                    "after": f"{text[start : span.start]}[{span.type}]{text[span.end : end]}",
                }


def judged(
    places: Sequence[Mapping[str, Any]], of_type: Mapping[str, int], readers: Sequence[Mapping[str, str]]
) -> dict[str, Judged]:
    """The readers' verdicts by type; a place counts that all of them have read."""
    result = {}
    for type in of_type:
        own = [place["id"] for place in places if place["type"] == type]
        read = [id for id in own if all(id in reader for reader in readers)]
        result[type] = Judged(
            of_type[type],
            len(read),
            tuple(sum(reader[id] != "right" for id in read) for reader in readers),
            tuple(sum(reader[id] == "cuts" for id in read) for reader in readers),
        )
    return result


def _texts(path: Path) -> dict[str, str] | None:
    """The texts of a file of ``id`` and ``text`` by id; None for anything else."""
    if path.is_file() and path.suffix == ".jsonl" and (rows := _lines(path, ())) and set(rows[0]) == {"id", "text"}:
        return {str(row["id"]): str(row["text"]) for row in rows}
    return None


def _posts(path: Path) -> dict[str, str]:
    """The posts of a corpus by id; with ``corpus:`` before the id too, as draws from several corpora have it."""
    if (texts := _texts(path)) is not None:
        return texts
    posts = {question.id: question.post for question in load_corpus(path).questions}
    return posts | {f"{name}:{id}": text for name in ("smilechat", "psyqa") for id, text in posts.items()}


def _questions(path: Path) -> list[tuple[str, list[str]]]:
    """The id and the texts of each question, or of each line of id and text."""
    if (texts := _texts(path)) is not None:
        return [(id, [text]) for id, text in texts.items()]
    return [
        (question.id, [question.title, question.description, *question.responses])
        for question in load_corpus(path).questions
    ]


def _lines(path: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise PlantError(f"{path}, line {number}: no JSON ({error.msg}). Correct the line.") from error
        if missing := [key for key in keys if key not in row]:
            raise PlantError(f"{path}, line {number}: without {', '.join(missing)}. Add them.")
        rows.append(row)
    return rows


def _recall(options: argparse.Namespace) -> None:
    plants = _lines(options.plants, ("post", "find", "replace", "type", "value"))
    scores, missed = recall(_posts(options.corpus), plants, Anonymiser())
    rows = [
        (kind, one.plants, f"{one.found / one.plants:.3f}", f"{one.masked / one.plants:.3f}")
        for kind, one in scores.items()
    ]
    print(table(("type", "plants", "found", "masked by any type"), rows))
    if options.show:
        print(*missed, sep="\n")


def _draw(options: argparse.Namespace) -> None:
    questions = _questions(options.corpus)
    characters = sum(len(text) for _, texts in questions for text in texts)
    found = list(masked_places(questions, Anonymiser(TYPES)))
    drawn = random.Random(options.seed).sample(found, min(options.count, len(found)))
    of_type = Counter(place["type"] for place in found)
    summary = {"characters": characters, "places": {type: of_type[type] for type in TYPES}, "seed": options.seed}
    write_json_lines(options.places, [summary, *drawn])
    print(f"{characters:,} characters, {len(found)} places, {len(drawn)} drawn")
    print(
        table(
            ("type", "places", "per 100,000 characters"),
            [(type, of_type[type], f"{_PER * of_type[type] / characters:.2f}") for type in TYPES],
        )
    )


def _judge(options: argparse.Namespace) -> None:
    summary, *places = _lines(options.places, ())
    readers = [{row["id"]: row["verdict"] for row in _lines(path, ("id", "verdict"))} for path in options.verdicts]
    if wrong := sorted({verdict for reader in readers for verdict in reader.values()} - set(VERDICTS)):
        raise PlantError(f"verdicts {wrong}, expected some of {list(VERDICTS)}. Correct the files.")
    rows, total = [], 0.0
    for type, one in judged(places, summary["places"], readers).items():
        per = _PER * one.places / summary["characters"]
        worst = max(one.wrong) / one.read if one.read else 0.0
        total += per * worst
        rows.append((type, one.places, one.read, *one.wrong, max(one.cuts, default=0), f"{per * worst:.2f}"))
    print(
        table(
            (
                "type",
                "places",
                "read",
                *(f"wrong by reader {i + 1}" for i in range(len(readers))),
                "cuts a word",
                "per 100,000",
            ),
            rows,
        )
    )
    print(f"false alarms per 100,000 characters, by the stricter reader of each type: {total:.2f}")
    if len(readers) == 2:
        both = sorted(set(readers[0]) & set(readers[1]))
        first, second = ([reader[id] != "right" for id in both] for reader in readers)
        agreed = sum(a == b for a, b in zip(first, second, strict=True)) / len(both)
        kappa = cohen_kappa_score(first, second, labels=[False, True]) if len({*first, *second}) > 1 else 1.0
        print(f"readers agree on {agreed:.3f} of {len(both)} places, Cohen's kappa {kappa:.2f}")


def _marked(options: argparse.Namespace) -> None:
    texts = {row["id"]: row["text"] for row in _lines(options.texts, ("id", "text"))}
    rows = [(path.name, *marked(texts, _lines(path, ("id", "values")), Anonymiser(TYPES))) for path in options.marks]
    print(table(("reader", "values", "masked where marked", "masked at one of their places"), rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command and its four parts."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.anonymise.planted", description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("recall", help="how many plants are found")
    part.add_argument("corpus", type=Path)
    part.add_argument("plants", type=Path)
    part.add_argument("--show", action="store_true", help="print the missed ones")
    part.set_defaults(run=_recall)
    part = parts.add_parser("draw", help="draw masked places for readers")
    part.add_argument("corpus", type=Path)
    part.add_argument("places", type=Path)
    part.add_argument("--count", type=int, default=300)
    part.add_argument("--seed", type=int, required=True)
    part.set_defaults(run=_draw)
    part = parts.add_parser("judge", help="count readers' verdicts")
    part.add_argument("places", type=Path)
    part.add_argument("verdicts", type=Path, nargs="+")
    part.set_defaults(run=_judge)
    part = parts.add_parser("marked", help="count what of readers' marks is masked")
    part.add_argument("texts", type=Path)
    part.add_argument("marks", type=Path, nargs="+")
    part.set_defaults(run=_marked)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except PlantError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
