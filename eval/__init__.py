"""Replies of the models, their scores, and the report."""
