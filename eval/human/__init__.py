"""People rank anonymous replies: the study, its page in Label Studio, and what the rankings say."""
