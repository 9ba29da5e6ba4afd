"""Whether a step fits into the cards of this machine, by the plan's formulas: a line of `make preflight`."""

from collections.abc import Sequence

from omegaconf import DictConfig

from common.errors import StageError
from recipes.machine import Card
from recipes.planning import memory
from recipes.planning.constants import constants
from recipes.planning.from_config import setup_of
from recipes.planning.setup import GIB, Lengths
from recipes.planning.setup import Card as PlannedCard
from recipes.planning.shapes import find_shape
from recipes.preflight_checks import Line, line
from recipes.profile import Common, encoders


def card_memory_line(common: Common, config: DictConfig, cards: Sequence[Card]) -> Line:
    """The fullest phase of a step with the longest prompts and responses, beside the smallest card.

    Args:
        common: whose profile names the encoders, and the model.
        config: verl's.
        cards: of this machine, at least one.
    """
    smallest = min(cards, key=lambda card: card.memory)
    # Speeds decide nothing here.
    planned = PlannedCard(smallest.name, smallest.memory / GIB, tflops=1, bandwidth=1, link=1)
    longest = config.data.max_response_length
    lengths = Lengths(config.data.max_prompt_length, longest, longest)
    try:
        setup = setup_of(config, find_shape(common.model), planned, lengths, encoders(common.profile))
    except StageError as error:
        return Line("warning", f"memory of a card: {error}", "watch the first step by nvidia-smi")
    found = memory.estimate(setup, constants())
    told = f"{found.total / GIB:.1f} of {planned.memory_gib:.1f} GiB in {found.fullest}"
    return line(
        found.total > smallest.memory,
        f"memory of a card: {told}, reckoned, not measured",
        "`make plan` shows it by part, and what a single change would do",
        "warning",
    )
