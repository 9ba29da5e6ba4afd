"""From a corpus of counselling questions to what each training stage reads."""
