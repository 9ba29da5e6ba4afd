"""CoE chains for a corpus that has none: a teacher model writes them, checks sift them, people review them."""
