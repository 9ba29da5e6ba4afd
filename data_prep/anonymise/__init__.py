"""Personal data found and replaced by typed placeholders: ``engine`` for a question, ``measure`` for how well."""
