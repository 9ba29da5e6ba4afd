"""vLLM's workers told from which seed to draw next; chosen by `eval.generation.engine` as their extension."""

import random

import numpy as np
import torch


class DrawsExtension:
    """Becomes a base class of vLLM's worker, and so a method that the engine can call on each of them."""

    def seed_draws(self, seed: int) -> None:
        """Seed everything that a sampler draws from.

        Args:
            seed: 0 to 2**32 - 1, as numpy takes it.
        """
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
