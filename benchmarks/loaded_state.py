"""The digest of an optimizer's or of the generators' state, as a file holds it or as a process has it."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import torch
from torch.distributed.tensor import DTensor

# Beside the checkpoints' folder: a line for each load.
LOADS_FILE: Final = "loads.jsonl"


def digest(state: Any) -> str:
    """SHA-256 of every name, number, array's and tensor's bytes of a state; of sharded ones the own part."""
    found = hashlib.sha256()
    for part in _parts(state):
        found.update(part)
    return found.hexdigest()


def _parts(state: Any) -> Iterator[bytes]:
    if isinstance(state, dict):
        for key, value in state.items():
            yield f"{key!r}:".encode()
            yield from _parts(value)
    elif isinstance(state, list | tuple):
        yield f"{len(state)}:".encode()
        for value in state:
            yield from _parts(value)
    elif isinstance(state, torch.Tensor):
        tensor = (state.to_local() if isinstance(state, DTensor) else state).detach().cpu().contiguous()
        yield f"{tensor.dtype}{tuple(tensor.shape)}".encode()
        yield tensor.flatten().view(torch.uint8).numpy().tobytes()
    elif isinstance(state, np.ndarray):
        yield f"{state.dtype}{state.shape}".encode()
        yield state.tobytes()
    else:
        yield repr(state).encode()
