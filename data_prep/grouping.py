"""Duplicates out, near-duplicates together: what is done to a corpus once each question has been treated.

Equal posts become one question with the responses of all. Of responses that are alike, wherever they stand, the first
stays: a counsellor's form letter is no response to a hundred questions. Questions that are alike, or begin alike
(`data_prep.openings`), stay, as a group that lies on one side of every split.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from common.records.question import Question
from data_prep.duplicates import Signatures, alike_pairs, groups, signatures
from data_prep.emotion import Counts, relative_labels
from data_prep.openings import Beginning, same_pairs
from data_prep.tally import Rejected
from data_prep.treatment import Treated


@dataclass(frozen=True, slots=True)
class Grouped:
    """Questions with what near-duplicates are told by.

    Attributes:
        posts: signatures of the posts, one row a question.
        responses: signatures of all responses, in the order of the questions.
    """

    questions: list[Question]
    posts: Signatures
    responses: Signatures

    def of(self, ids: Collection[str]) -> "Grouped":
        """The part of it that these questions are."""
        wanted = np.array([question.id in ids for question in self.questions], dtype=bool)
        sizes = [len(question.responses) for question in self.questions]
        return Grouped(
            [question for question in self.questions if question.id in ids],
            self.posts[wanted],
            self.responses[np.repeat(wanted, sizes)],
        )


@dataclass(slots=True)
class _Entry:
    """A question on its way: arrays have a row for each response, labels come from a classifier or not at all."""

    question: Question
    post: Signatures
    responses: Signatures
    post_counts: Counts
    response_counts: Counts
    labels: list[str]

    def add(self, other: "_Entry") -> None:
        """Take in the responses of a question with the same post."""
        mine, theirs = self.question, other.question
        self.question = replace(
            mine,
            responses=mine.responses + theirs.responses,
            crisis=mine.crisis or theirs.crisis,
            train_only=mine.train_only or theirs.train_only,
            coe=mine.coe or theirs.coe,
        )
        self.responses = np.concatenate([self.responses, other.responses])
        self.response_counts = np.concatenate([self.response_counts, other.response_counts])
        self.labels += other.labels[1:]

    def keep(self, places: list[int]) -> None:
        """Leave out the responses at all other places."""
        self.question = replace(self.question, responses=tuple(self.question.responses[i] for i in places))
        self.responses = self.responses[places]
        self.response_counts = self.response_counts[places] if len(self.response_counts) else self.response_counts
        self.labels = [self.labels[0], *(self.labels[1 + i] for i in places)] if self.labels else []


def everything(questions: Sequence[Question], treated: Sequence[Treated]) -> Grouped:
    """A corpus as it came, duplicates and all: what must not be trained on is looked for by every text of it.

    Args:
        questions: as read, for those that cleaning left out.
        treated: the results for them.
    """
    texts = [result.question or question for question, result in zip(questions, treated, strict=True)]
    rows = [
        result.signatures if result.question else signatures([question.post, *question.responses])
        for question, result in zip(questions, treated, strict=True)
    ]
    none = signatures([])
    return Grouped(
        texts, np.concatenate([none, *(row[:1] for row in rows)]), np.concatenate([none, *(row[1:] for row in rows)])
    )


def deduplicate(
    treated: Sequence[Treated],
    question_threshold: float,
    response_threshold: float,
    common: frozenset[Beginning] = frozenset(),
) -> tuple[Grouped, list[Rejected]]:
    """Merge, leave out, group and label.

    Args:
        question_threshold: Jaccard index of character 5-grams from which two posts are a group.
        response_threshold: the same, from which the later of two responses is left out.
        common: beginnings that many posts bear and that make no group.

    Returns:
        the corpus in its order, every question with ``group`` and emotions, and what was left out.

    Raises:
        ValueError: a threshold out of range, see `data_prep.duplicates.alike_pairs`.
    """
    rejected: list[Rejected] = []
    entries = _without_alike_responses(_merged(treated, rejected), response_threshold, rejected)
    if not entries:
        return Grouped([], signatures([]), signatures([])), rejected
    posts = np.concatenate([entry.post for entry in entries])
    beginning_alike, _ = same_pairs([entry.question for entry in entries], common)
    alike = np.concatenate([alike_pairs(posts, question_threshold), beginning_alike])
    firsts = groups(len(entries), alike)
    post_labels, response_labels = _labels(entries)
    left = iter(response_labels)
    questions = [
        replace(
            entry.question,
            group=entries[first].question.id,
            emotion=label,
            response_emotions=tuple(islice(left, len(entry.question.responses))),
        )
        for entry, first, label in zip(entries, firsts, post_labels, strict=True)
    ]
    return Grouped(questions, posts, np.concatenate([entry.responses for entry in entries])), rejected


def _merged(treated: Sequence[Treated], rejected: list[Rejected]) -> list[_Entry]:
    entries: dict[str, _Entry] = {}
    for item in treated:
        if item.question is None:
            continue
        rows, counts = item.signatures, item.emotion_counts
        entry = _Entry(item.question, rows[:1], rows[1:], counts[:1], counts[1:], list(item.emotions))
        first = entries.setdefault(item.question.post, entry)
        if first is not entry:
            first.add(entry)
            detail = f"the post of {first.question.id}, which its responses are now with"
            rejected.append(Rejected(item.question.id, "question", "same post as another question", detail))
    return list(entries.values())


def _without_alike_responses(entries: list[_Entry], threshold: float, rejected: list[Rejected]) -> list[_Entry]:
    owners = [(entry, place) for entry in entries for place in range(len(entry.question.responses))]
    rows = np.concatenate([signatures([]), *(entry.responses for entry in entries)])
    firsts = groups(len(rows), alike_pairs(rows, threshold))
    places: dict[str, list[int]] = {entry.question.id: [] for entry in entries}
    for row, (entry, place) in enumerate(owners):
        if firsts[row] == row:
            places[entry.question.id].append(place)
            continue
        other, other_place = owners[firsts[row]]
        same = entry.question.responses[place] == other.question.responses[other_place]
        reason = "same as another response" if same else "near-duplicate of another response"
        rejected.append(Rejected(entry.question.id, "response", reason, f"a response to {other.question.id}"))
    kept = []
    for entry in entries:
        if not (left := places[entry.question.id]):
            rejected.append(Rejected(entry.question.id, "question", "no response left after deduplication"))
            continue
        if len(left) < len(entry.question.responses):
            entry.keep(left)
        kept.append(entry)
    return kept


def _labels(entries: list[_Entry]) -> tuple[list[str], list[str]]:
    """Emotion of each post and of each response: a classifier's, or by the lexicon among all posts or all responses."""
    if entries[0].labels:
        return [entry.labels[0] for entry in entries], [label for entry in entries for label in entry.labels[1:]]
    return (
        relative_labels(np.concatenate([entry.post_counts for entry in entries])),
        relative_labels(np.concatenate([entry.response_counts for entry in entries])),
    )
