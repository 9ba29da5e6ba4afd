"""The error that a user can mend."""


class StageError(RuntimeError):
    """A stage cannot run or did not end well; the message says what is missing or wrong and what to do."""
