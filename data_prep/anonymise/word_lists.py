"""The word lists that lie beside the recognisers: one section after another in a text file, words between spaces.

A list says where its words come from in its comment lines. What a list means is said where it is used.
"""

from pathlib import Path


def word_list(file_name: str, section: str) -> tuple[str, ...]:
    """The words under ``[section]`` in a file beside this module, in the file's order.

    Lines that begin with ``#`` are comments.

    Raises:
        KeyError: the file has no such section.
    """
    sections: dict[str, list[str]] = {}
    words: list[str] = []
    for line in Path(__file__).with_name(file_name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            words.extend(line.split())
    if section not in sections:
        raise KeyError(f"{file_name}: no section [{section}]; it has {', '.join(sections)}: add it or mend the name")
    return tuple(sections[section])
