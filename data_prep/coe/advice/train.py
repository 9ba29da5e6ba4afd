"""Trains the model of advice: a minute.

    python -m data_prep.coe.advice.train [--check]

``labelled.jsonl`` has 400 layers for posts of the sample, half with advice in them, half that only sound like it; two
instances of a language model (Claude) wrote them. The sample's own L1 to L3 are without advice. Which clause of a layer
is the advice nobody has marked: a first model over whole layers picks the clauses that a second one learns from.
``--check`` leaves out a quarter of the posts at a time.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from common.files import read_json_lines
from data_prep.coe.advice.model import WEIGHTS, impersonal, layer_score, parts, score
from data_prep.corpora import load_corpus
from data_prep.linear import LinearModel, runs
from data_prep.linear.fit import Example, fit

LABELLED: Final = Path(__file__).with_name("labelled.jsonl")
_ASKER: Final = 3
# Inverse of the regularisation; the share of a layer's clauses that are taken for its advice at first.
_STRENGTH: Final = 30.0
_TAKEN: Final = 0.3
_FOLDS: Final = 4


class Layer(NamedTuple):
    """A layer of the chain of a post of the sample."""

    post: str
    text: str
    advice: bool


def read_layers() -> list[Layer]:
    """The labelled layers, and the sample's own."""
    labelled = [Layer(line["id"], line["text"], line["advice"]) for _, line in read_json_lines(LABELLED)]
    own = [(question.id, question.coe[:_ASKER]) for question in load_corpus(None).questions if question.coe]
    return labelled + [Layer(id, text, False) for id, chain in own for text in chain]


def trained(layers: Sequence[Layer]) -> LinearModel:
    """The second model."""
    whole = _fit([(layer.text, layer.advice) for layer in layers])
    examples = []
    for layer in layers:
        each = parts(layer.text)
        if layer.advice:
            likely = sorted(each, key=lambda part: -score(whole, part))[: max(1, int(len(each) * _TAKEN))]
            each = [*likely, layer.text]
        examples += [(part, layer.advice) for part in each]
    return _fit(examples)


def _fit(examples: Sequence[tuple[str, bool]]) -> LinearModel:
    return fit([Example(runs(impersonal(text)), {}, advice) for text, advice in examples], _STRENGTH)


def left_out(layers: Sequence[Layer]) -> list[float]:
    """Each layer's score by a model that saw no layer of its post."""
    posts = sorted({layer.post for layer in layers})
    fold = {post: number % _FOLDS for number, post in enumerate(posts)}
    scores = [0.0] * len(layers)
    for each in range(_FOLDS):
        model = trained([layer for layer in layers if fold[layer.post] != each])
        for number, layer in enumerate(layers):
            if fold[layer.post] == each:
                scores[number] = layer_score([score(model, part) for part in parts(layer.text)])
    return scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, or check."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.coe.advice.train")
    parser.add_argument("--check", action="store_true", help="print how layers are told by a model without their post")
    parser.add_argument("--threshold", type=float, default=0.5, help="layers of a higher score give advice")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    layers = read_layers()
    if options.check:
        _print_check(layers, left_out(layers), options.threshold)
        return
    model = trained(layers)._replace(threshold=options.threshold)
    model.save(options.out)
    print(f"{len(layers)} layers, {len(model.weights)} features: {options.out}")


def _print_check(layers: Sequence[Layer], scores: Sequence[float], threshold: float) -> None:
    told = np.array(scores) > threshold
    advice = np.array([layer.advice for layer in layers])
    count = len(list(read_json_lines(LABELLED)))
    sound, own = ~advice[:count], slice(count, None)
    chains = told[own].reshape(-1, _ASKER).any(axis=1)
    print(f"layers with advice told: {told[:count][advice[:count]].mean():.3f}")
    print(f"layers that sound like it: {told[:count][sound].mean():.3f}; the sample's chains: {chains.mean():.3f}")


if __name__ == "__main__":
    main()
