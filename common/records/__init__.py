"""The records at the borders of stages: one dataclass each, with the one reader that checks and the one writer."""
