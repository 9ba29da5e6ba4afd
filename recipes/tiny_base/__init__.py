"""The base model of the tiny profile, built on the spot."""
