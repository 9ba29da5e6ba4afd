"""Muon for the matrices, AdamW for the rest, as one optimiser.

Muon (Jordan et al., 2024; `torch.optim.Muon`) orthogonalises each matrix's step. It is for matrices between embedding
and head; embeddings and norms stay with AdamW.
"""

from collections.abc import Callable
from typing import Any

import torch


class MuonAdamW(torch.optim.Optimizer):
    """Both as one optimiser: it has the groups of both, so schedules and checkpoints see one."""

    def __init__(self, model: torch.nn.Module, adamw_rate: float, muon_rate: float) -> None:
        """Share the model's parameters out."""
        named = list(model.named_parameters())
        matrices = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name]
        tables = [weight for name, weight in named if weight.ndim == 2 and "embed" in name]
        vectors = [weight for _, weight in named if weight.ndim < 2]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(matrices, lr=muon_rate, weight_decay=0.01, momentum=0.95),
            torch.optim.AdamW(
                [{"params": tables, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}],
                lr=adamw_rate,
                betas=(0.9, 0.95),
            ),
        ]
        super().__init__([group for part in self._parts for group in part.param_groups], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every weight; a closure is called once."""
        loss = closure() if closure else None
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Of both, by place."""
        return {str(place): part.state_dict() for place, part in enumerate(self._parts)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        for place, part in enumerate(self._parts):
            part.load_state_dict(state_dict[str(place)])
        # Loading gave the parts new groups.
        self.param_groups = [group for part in self._parts for group in part.param_groups]
