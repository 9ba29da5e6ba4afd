"""verl's replay buffer, asked more often whether the replies are there.

Chosen by ``trainer.v1.sampler.custom_sampler``. verl looks every 2 seconds, which is nothing where a step takes
minutes; the small model's replies take 3 seconds.
"""

from typing import Any, Final

from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

POLL_SECONDS: Final = 0.2


class QuickReplayBuffer(ReplayBuffer):
    """A look every `POLL_SECONDS`."""

    def __init__(self, **kwargs: Any) -> None:
        """Take verl's arguments."""
        super().__init__(**kwargs, poll_interval=POLL_SECONDS)
