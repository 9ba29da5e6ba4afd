"""Replies of any model to the test questions: by vLLM, on a Ray cluster, or from a server."""
