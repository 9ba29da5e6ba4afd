"""Personal data found and replaced: ``patterned`` (numbers and addresses on the net), ``names``, ``places``."""
