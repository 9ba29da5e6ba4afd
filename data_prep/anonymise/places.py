"""Schools, employers and fine addresses as Presidio recognisers; the rules are in ``places_institution`` and
``places_address``.
"""

from data_prep.anonymise.places_address import address_hints, find_addresses
from data_prep.anonymise.places_brand import BrandFinder
from data_prep.anonymise.places_institution import EMPLOYER, SCHOOL, InstitutionFinder
from data_prep.anonymise.presidio import EntityRecognizer, NlpArtifacts, RecognizerResult
from data_prep.anonymise.segments import open_sentences, open_to, segmented

_SCORES = {SCHOOL: 0.7, EMPLOYER: 0.6}
_BRAND_SCORE = 0.55


class Institution(EntityRecognizer):
    """Named schools and employers."""

    def __init__(self) -> None:
        """Read the lists of endings."""
        super().__init__(
            supported_entities=[SCHOOL, EMPLOYER], supported_language="zh", name="institution by its ending"
        )
        self._finder = InstitutionFinder()
        self._brands = BrandFinder()

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every named institution; a school rather than an employer where it could be both."""
        found = [
            RecognizerResult(one.kind, start + one.start, start + one.end, _SCORES[one.kind])
            for start, sentence in open_sentences(text, self._finder.hints(text))
            for one in self._finder.find(sentence, segmented(sentence))
        ]
        taken = [(result.start, result.end) for result in found]
        found += [
            RecognizerResult(EMPLOYER, start + first, start + last, _BRAND_SCORE)
            for start, sentence in open_sentences(text, self._brands.hints(text))
            for first, last in self._brands.find(sentence)
            if open_to(taken, start + first, start + last)
        ]
        return sorted(found, key=lambda result: result.start)


class Address(EntityRecognizer):
    """Addresses down to a number."""

    def __init__(self) -> None:
        """Nothing to load."""
        super().__init__(supported_entities=["地址"], supported_language="zh", name="place and number")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every address, from its first place name to its last number."""
        return [
            RecognizerResult("地址", start + first, start + last, 0.75)
            for start, sentence in open_sentences(text, address_hints(text))
            for first, last in find_addresses(sentence, segmented(sentence))
        ]
