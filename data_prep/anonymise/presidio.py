"""What we use of Presidio, imported without the libraries of deep learning.

As it is imported, Presidio looks for torch and transformers and takes them along where they are installed: 6 seconds
and 400 MB in every process that treats texts. Our recognisers need neither, so for that moment they are not to be
found. ``model`` hands them back for who asks for a model.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _hidden(*modules: str) -> Iterator[None]:
    """Let importing these fail, unless they are imported already (``None`` in ``sys.modules`` does that)."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden("torch", "transformers"):
    from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
    from presidio_analyzer.nlp_engine import NlpArtifacts

__all__ = ["EntityRecognizer", "NlpArtifacts", "Pattern", "PatternRecognizer", "Recogniser", "RecognizerResult"]


class Recogniser(EntityRecognizer):
    """A recogniser of ours, which loads nothing: `types` are what it finds, `label` its name.

    Any recogniser may have ``may_match(text)``, so that most texts never reach it: False only if `analyze` would find
    nothing in the (folded) text: a necessary condition, not a guess.
    """

    types: tuple[str, ...]
    label: str

    def __init__(self) -> None:
        """Tell Presidio what it is."""
        super().__init__(supported_entities=list(self.types), supported_language="zh", name=self.label)

    def load(self) -> None:
        """Nothing to load."""
