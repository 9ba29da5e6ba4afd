"""The corpus that comes with the project: its format, its variety, its care with people at risk."""

import json
import re
from collections import Counter
from itertools import combinations
from typing import Any

import jsonschema
import pytest

from data_prep.corpora import load_corpus
from data_prep.corpora.sample import SAMPLE_CORPUS
from reward_fns.coe_format import LAYERS, CoEOutput, parse

# Common share of all character 5-grams of two texts, and share of the shorter one's that the other has, at most. A
# title or a layer of twenty plain characters shares a phrase such as 我应该怎么办 with another one.
LONG_BOUNDS = (0.14, 0.25)
SHORT_BOUNDS = (0.33, 0.58)

# 12356 is China's psychological support line, 110 and 120 are police and ambulance.
HELP = re.compile(r"12356|热线|(?<!\d)(?:110|120)(?!\d)|急诊|急救")


def _lines() -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(SAMPLE_CORPUS.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


LINES = _lines()


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((SAMPLE_CORPUS / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_line_follows_the_schema(line: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    errors = [f"{'/'.join(map(str, error.path))}: {error.message[:120]}" for error in validator.iter_errors(line)]
    assert errors == []


@pytest.mark.parametrize("key", ["id", "title", "description", "topic", "crisis", "responses", "coe"])
def test_schema_misses_no_key(key: str, validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid({name: value for name, value in LINES[0].items() if name != key})
    assert not validator.is_valid({**LINES[0], f"{key}_": LINES[0][key]})


def test_size_and_variety() -> None:
    assert len(LINES) >= 264
    assert len({line["topic"] for line in LINES}) >= 16
    assert sum(line["crisis"] for line in LINES) >= 12
    assert Counter(line["id"] for line in LINES).most_common(1)[0][1] == 1
    assert Counter(line["title"] for line in LINES).most_common(1)[0][1] == 1


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_responses_come_from_different_counsellors(line: dict[str, Any]) -> None:
    voices = [response["counsellor"] for response in line["responses"]]
    assert len(voices) == 2
    assert len(set(voices)) == len(voices)


@pytest.mark.parametrize("line", [line for line in LINES if line["crisis"]], ids=lambda line: line["id"])
def test_crisis_responses_name_help(line: dict[str, Any]) -> None:
    for response in line["responses"]:
        assert HELP.search(response["text"]), response["text"]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_chain_renders_and_reads_back(line: dict[str, Any]) -> None:
    layers = tuple(line["coe"][name] for name in LAYERS)
    for response in line["responses"]:
        output = CoEOutput(layers, response["text"])
        assert parse(output.render()) == output


@pytest.mark.parametrize("field", ["title", "description", "responses", *LAYERS])
def test_no_near_duplicates(field: str) -> None:
    if field == "responses":
        texts = [(line["id"], response["text"]) for line in LINES for response in line["responses"]]
    elif field in LAYERS:
        texts = [(line["id"], line["coe"][field]) for line in LINES]
    else:
        texts = [(line["id"], line[field]) for line in LINES]
    bounds = LONG_BOUNDS if field in ("description", "responses") else SHORT_BOUNDS
    alike = []
    for (one, one_grams), (other, other_grams) in combinations([(name, _five_grams(text)) for name, text in texts], 2):
        common = len(one_grams & other_grams)
        jaccard = common / len(one_grams | other_grams)
        containment = common / min(len(one_grams), len(other_grams))
        if jaccard > bounds[0] or containment > bounds[1]:
            alike.append((one, other, round(jaccard, 2), round(containment, 2)))
    assert alike == []


def test_loader_reads_every_line() -> None:
    questions = load_corpus(None).questions
    assert [question.id for question in questions] == [line["id"] for line in LINES]
    assert all(question.coe is not None and question.topic for question in questions)
    assert [question.crisis for question in questions] == [line["crisis"] for line in LINES]


def _five_grams(text: str) -> set[str]:
    letters = re.sub(r"[\W_]+", "", text)
    return {letters[i : i + 5] for i in range(max(len(letters) - 4, 1))}
