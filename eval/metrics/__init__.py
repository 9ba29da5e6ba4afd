"""Text metrics for Chinese, by two protocols; the command is ``python -m eval.metrics``."""
