"""What a recogniser may offer beyond Presidio's interface, so that most texts never reach it.

The recognisers themselves live in ``patterned``, ``accounts``, ``names``, ``places`` and ``model``.
"""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Triggered(Protocol):
    """A recogniser that knows cheaply where it cannot match."""

    def may_match(self, text: str) -> bool:
        """False only if `analyze` would find nothing in the (folded) text: a necessary condition, not a guess."""
        ...
