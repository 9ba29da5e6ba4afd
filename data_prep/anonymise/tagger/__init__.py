"""A tagger of names, schools, employers and addresses that learns from values put into real texts."""
