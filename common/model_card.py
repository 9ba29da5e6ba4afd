"""What a model's card says in its metadata, in the form that the Hugging Face Hub reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.code import REPO


def read_corpora(model: Path) -> tuple[str, ...]:
    """The corpora that a model has read (`datasets`), in small letters; none where it has no card.

    A test question from one of them proves little about the model.
    """
    data = _metadata(model)
    datasets = None if data is None else data.datasets
    return tuple(name.lower() for name in ([datasets] if isinstance(datasets, str) else datasets or []))


def read_license(model: Path) -> str:
    """The licence that a model's card names, "" where it has no card or names none."""
    data = _metadata(model)
    return "" if data is None else str(data.license or "")


def base_name(model: str) -> str:
    """A base model as others know it: a hub id as it is, of a folder neither its machine nor its user."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    resolved = folder.resolve()
    return str(resolved.relative_to(REPO)) if resolved.is_relative_to(REPO) else resolved.name


def model_header(model: Path, corpus: str, tags: Sequence[str]) -> str:
    """The YAML of the card of a model that was trained here.

    Args:
        model: its base, a folder or a hub id.
        corpus: that it was trained on.
        tags: what the hub finds it by.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        language="zh",
        # Of base and corpora together: whoever publishes the model names one that they allow.
        license="other",
        license_name="terms-of-base-and-corpora",
        library_name="transformers",
        pipeline_tag="text-generation",
        base_model=None if model.is_dir() else str(model),
        datasets=list(dict.fromkeys([*read_corpora(model), corpus.lower()])),
        tags=list(tags),
    )
    return data.to_yaml()


def _metadata(model: Path) -> Any:
    from huggingface_hub import ModelCard

    file = model / "README.md"
    return ModelCard.load(file).data if file.is_file() else None
