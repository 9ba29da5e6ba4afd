"""Trains the tagger: two epochs of ten minutes on two cores with AMX (``--bf16``).

    python -m data_prep.anonymise.tagger.train SMILECHAT --replies dialogue --out weights.safetensors

SMILECHAT is the folder of dialogues (https://github.com/qiuhuachuan/smile). Values, made-up ones and writers' own, are
put into its posts and replies (`plant`); what writers put into posts (``plants.jsonl``, by the posts' ids) is seen
several times. Kept from training are a tenth of the questions, by title, and the posts of ``judged/plants_*.jsonl``
with all that bear their titles: these judge the result.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn
from tqdm import tqdm

from common.files import read_json_lines, replacing
from data_prep.anonymise.lac import Tags, lac
from data_prep.anonymise.tagger import known
from data_prep.anonymise.tagger.examples import IGNORED, Example, held_out, made_up, of_writers
from data_prep.anonymise.tagger.labels import END, TYPES, UNKNOWN, code_points, numbers_of
from data_prep.anonymise.tagger.network import DILATIONS, WEIGHTS
from data_prep.anonymise.tagger.words import KINDS, word_kinds
from data_prep.corpora import load_corpus

PLANTS: Final = Path(__file__).with_name("plants.jsonl")
JUDGED: Final = Path(__file__).parents[1] / "judged"
_LABELS: Final = 1 + 2 * len(TYPES)
# A character that fewer texts have is unknown: names hold rare ones.
_LEAST: Final = 8
# How often a character is read as unknown in training, so that names with unknown ones are found.
_HIDDEN: Final = 0.04
_DROPOUT: Final = 0.15
_RATE: Final = 3e-3
_BATCH_CHARS: Final = 6000
_SORTED: Final = 4000
_LAC_BATCH: Final = 20_000


class Network(nn.Module):
    """What `network.Tagger` computes, for training."""

    def __init__(self, characters: int, width: int) -> None:
        """Set up for a vocabulary of so many characters and vectors of so many numbers."""
        super().__init__()
        self.characters, self.tags = nn.Embedding(characters, width, padding_idx=0), nn.Embedding(256, width)
        self.words, self.known = nn.Embedding(KINDS, width), nn.Embedding(known.KINDS, width)
        for table in (self.characters, self.tags, self.words, self.known):
            nn.init.normal_(table.weight, std=0.3)
        # A dilated convolution as one product: what each character is to the one after, to itself, to the one before.
        self.blocks = nn.ModuleList(nn.Linear(width, 3 * width, bias=False) for _ in DILATIONS)
        self.biases = nn.Parameter(torch.zeros(len(DILATIONS), width))
        for block in self.blocks.parameters():
            nn.init.uniform_(block, -((3 * width) ** -0.5), (3 * width) ** -0.5)
        self.out, self.dropout = nn.Linear(width, _LABELS), nn.Dropout(_DROPOUT)

    def forward(
        self, characters: torch.Tensor, tags: torch.Tensor, words: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        """Scores of shape (sentences, characters, labels)."""
        mask = (characters > 0).float()[..., None]
        vectors = self.characters(characters) + self.tags(tags) + self.words(words) + self.known(known)
        vectors = self.dropout(vectors * mask)
        for block, bias, dilation in zip(self.blocks, self.biases, DILATIONS, strict=True):
            left, middle, right = block(vectors).chunk(3, dim=-1)
            left = nn.functional.pad(left, (0, 0, dilation, 0))[:, : middle.shape[1]]
            right = nn.functional.pad(right, (0, 0, 0, dilation))[:, dilation:]
            vectors = (vectors + self.dropout(torch.relu(left + middle + right + bias))) * mask
        scores: torch.Tensor = self.out(vectors)
        return scores

    def tensors(self) -> dict[str, np.ndarray]:
        """The weights as `network.Tagger` reads them, in half precision."""
        own: dict[str, torch.Tensor] = {"characters": self.characters.weight, "tags": self.tags.weight}
        own |= {"words": self.words.weight, "known": self.known.weight}
        own |= {"out.weight": self.out.weight.T, "out.bias": self.out.bias}
        for number, block in enumerate(self.blocks.parameters()):
            own[f"block{number}.weight"] = block.unflatten(0, (3, -1)).transpose(1, 2)
            own[f"block{number}.bias"] = self.biases[number]
        return {key: np.ascontiguousarray(value.detach().numpy().astype(np.float16)) for key, value in own.items()}


def train(examples: Sequence[Example], epochs: int, width: int, seed: int, half: bool) -> tuple[Network, str]:
    """The network, and the characters of its vocabulary in their order.

    Args:
        examples: seen once an epoch.
        epochs: how many.
        width: numbers in a vector.
        seed: of order, dropout and beginnings.
        half: products of matrices in bfloat16; the weights stay in float32.
    """
    torch.manual_seed(seed)
    rng, hidden = random.Random(seed), np.random.default_rng(seed)
    counts = Counter(character for example in examples for character in example.sentence)
    vocabulary = "".join(sorted(character for character, count in counts.items() if count >= _LEAST))
    numbers, tags = numbers_of(vocabulary), _tags(examples)
    network = Network(END + 1 + len(vocabulary), width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-3)
    # Batches differ in number from epoch to epoch, by how like lengths fall together.
    plan = [list(_batches(examples, rng)) for _ in range(epochs)]
    steps = sum(map(len, plan))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.05)
    with tqdm(total=steps, desc="training the tagger", unit="step", disable=None) as bar:
        for epoch, batches in enumerate(plan, start=1):
            losses = []
            for batch in batches:
                arrays = _arrays(batch, numbers, tags, hidden)
                with torch.autocast("cpu", torch.bfloat16, enabled=half):
                    scores = network(*arrays[:4])
                loss = nn.functional.cross_entropy(
                    scores.float().flatten(0, 1), arrays[4].flatten(), ignore_index=IGNORED
                )
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                losses.append(loss.item())
                bar.update()
            print(f"epoch {epoch} of {epochs}: loss {np.mean(losses):.5f}", flush=True)
    return network.eval(), vocabulary


def _tags(examples: Sequence[Example]) -> dict[str, Tags]:
    own = list({example.sentence for example in examples})
    tags: dict[str, Tags] = {}
    for begin in tqdm(range(0, len(own), _LAC_BATCH), desc="LAC", disable=None):
        part = own[begin : begin + _LAC_BATCH]
        tags |= zip(part, lac().tags(part), strict=True)
    return tags


def _batches(examples: Sequence[Example], rng: random.Random) -> Iterator[list[Example]]:
    """All examples in a new order, those of like length together."""
    order = iter(rng.sample(examples, len(examples)))
    while part := sorted(islice(order, _SORTED), key=lambda each: len(each.sentence)):
        batches: list[list[Example]] = [[]]
        for example in part:
            if (len(example.sentence) + 1) * (len(batches[-1]) + 1) > _BATCH_CHARS:
                batches.append([])
            batches[-1].append(example)
        rng.shuffle(batches)
        yield from batches


def _arrays(
    batch: Sequence[Example], numbers: np.ndarray, tags: dict[str, Tags], hidden: np.random.Generator
) -> tuple[torch.Tensor, ...]:
    shape = (len(batch), max(len(each.sentence) for each in batch) + 1)
    characters, kinds, words, names = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    labels = np.full(shape, IGNORED, dtype=np.int64)
    for row, (sentence, last, own) in enumerate(batch):
        characters[row, : len(sentence)] = numbers[code_points(sentence)]
        kinds[row, : len(sentence)], words[row, : len(sentence)] = tags[sentence], word_kinds(sentence)
        names[row, : len(sentence)] = known.known_kinds(sentence)
        labels[row, : len(sentence)] = own
        characters[row, len(sentence)] = END if last else 0
    characters[(hidden.random(shape) < _HIDDEN) & (characters > END)] = UNKNOWN
    return tuple(torch.from_numpy(array) for array in (characters, kinds, words, names, labels))


def _lines(path: Path) -> list[dict[str, str]]:
    return [line for _, line in read_json_lines(path)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the examples, train, write the weights."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.anonymise.tagger.train", description=__doc__.splitlines()[0]
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--replies", metavar="FORMAT", help="the format in which the corpus has responses as well")
    parser.add_argument("--plants", type=Path, default=PLANTS, help="writers' values in posts of this corpus")
    parser.add_argument("--repeat", type=int, default=8, help="how often each of these is seen in an epoch")
    parser.add_argument("--passes", type=int, default=2, help="how often each question has other values put into it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--bf16", action="store_true", help="faster on a processor with AMX, slower on one without")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    questions = load_corpus(options.corpus).questions
    replies = load_corpus(options.corpus, options.replies).questions if options.replies else questions
    plants = _lines(options.plants)
    judged = {line["post"].partition(":")[2] for path in JUDGED.glob("plants*.jsonl") for line in _lines(path)}
    posts = {f"smilechat:{question.id}": question.post for question in questions}
    if missing := {line["post"] for line in plants} - posts.keys():
        sys.exit(f"{options.plants}: {len(missing)} posts are not in {options.corpus}. Name the plants of this corpus.")
    titles = {question.title for question in questions if question.id in judged or held_out(question)}
    texts = [question.post for question in questions if question.title not in titles]
    others = [each.responses for each in replies if each.responses and each.title not in titles]
    texts += [rng.choice(each) for each in rng.sample(others, min(len(texts), len(others)))]
    examples = [each for _ in range(options.passes) for each in made_up(texts, rng, plants)]
    # Every other time with other values in their places.
    for number in range(options.repeat):
        examples += of_writers(posts, plants, rng if number % 2 else None)
    print(f"{len(texts):,} texts, {len(examples):,} sentences", flush=True)
    network, vocabulary = train(examples, options.epochs, options.width, options.seed, options.bf16)
    metadata = {"characters": json.dumps(vocabulary, ensure_ascii=False), "licence": "as the code"}
    with replacing(options.out) as partial:
        save_file(network.tensors(), partial, metadata)


if __name__ == "__main__":
    main()
