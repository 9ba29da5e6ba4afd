"""Surnames before a title: 李 of 李老师, which the tagger misses where the sentence says little else."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from data_prep.anonymise.boundaries import LISTS, crossing
from data_prep.anonymise.segments import alternatives
from data_prep.anonymise.tagger.network import Find

# Only surnames that stand there as nothing else; 任 of 信任老师 and 谢 of 谢谢老师 belong to a word.
_TITLED: Final = re.compile(
    f"[{alternatives(LISTS, 'surnames before titles')}](?={alternatives(LISTS, 'titles behind a surname')})"
)
# More than any least lead.
_LEAD: Final = 100.0


def with_titled(text: str, finds: Sequence[Find]) -> Iterator[Find]:
    """The tagger's finds in a sentence, and the surnames before a title where it found nothing."""
    yield from finds
    for match in _TITLED.finditer(text):
        start, end = match.span()
        if all(end <= find.start or find.end <= start for find in finds) and not crossing(text, (start, start)):
            yield Find(start, end, "姓名", _LEAD)
