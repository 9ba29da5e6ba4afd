"""What a model's card says in its metadata, in the form that the Hugging Face Hub reads."""

from pathlib import Path


def read_corpora(model: Path) -> tuple[str, ...]:
    """The corpora that a model has read (`datasets`), in small letters; none where it has no card.

    A test question from one of them proves little about the model.
    """
    from huggingface_hub import ModelCard

    file = model / "README.md"
    datasets = ModelCard.load(file).data.datasets if file.is_file() else None
    return tuple(name.lower() for name in ([datasets] if isinstance(datasets, str) else datasets or []))
