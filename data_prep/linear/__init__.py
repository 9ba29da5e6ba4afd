"""A linear model over a text's runs of characters: small enough to lie in the repository, and quick to train anew."""

from data_prep.linear.model import LinearModel, runs, weighted

__all__ = ["LinearModel", "runs", "weighted"]
