"""Which code a result depends on: the modules that an entry point reaches, and the data files beside them.

A module is reached by an import, wherever in a file it stands, and by its name or path in a string, as a process is
started (``python -m recipes.sft_train``) or a plug-in is named in a configuration. Beside a module stand the data files
of its folder and of folders below that hold no module: word lists, rules, templates. So nothing has to be listed by
hand, and what no stage reaches redoes no stage.

A module counts by its syntax tree without docstrings, YAML by its content: formatting, comments and docstrings change
nothing.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import yaml

REPO: Final = Path(__file__).resolve().parents[1]
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_NOT_DATA: Final = (".py", ".pyc", ".md")
# Of these the meaning counts, of all others the bytes.
_READ: Final = (".py", ".yaml", ".yml")


def code_identity(entry: Path, named: Iterable[str] = (), root: Path = REPO) -> dict[str, str]:
    """A digest of each file that the entry point's result depends on, by the file's path.

    Args:
        entry: the file that is run.
        named: strings of the configuration; those that name a module or a file of Python are reached too.
        root: of the packages. Of a file outside them, such as a reward function of the user's own, the modules that lie
            beside it and that it imports count too.
    """
    reached: dict[Path, None] = {}
    waiting = [entry.resolve(), *(file for text in named for file in _named(text, root, None))]
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached[file] = None
            waiting += _reaches(file, root)
    folders = {file.parent for file in reached if _ours(file, root)}
    files = [*reached, *(data for folder in folders for data in _beside(folder))]
    names = {file: str(file.relative_to(root) if file.is_relative_to(root) else file) for file in files}
    return {name: _digest(file) for file, name in sorted(names.items(), key=lambda item: item[1])}


def strings(content: object) -> Iterator[str]:
    """Every string in a configuration of plain values."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from strings(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from strings(value)


def _reaches(file: Path, root: Path) -> Iterator[Path]:
    for reference in _references(file.read_bytes()):
        match reference:
            case _Import(name):
                yield from _module(name, root, file)
            case _ImportFrom(level, module, name):
                package = file.relative_to(root).parts[:-level] if level else ()
                base = ".".join([*package, *([module] if module else [])])
                yield from _module(f"{base}.{name}", root, file) or _module(base, root, file)
            case str():
                yield from _named(reference, root, file)


class _Import(NamedTuple):
    name: str


class _ImportFrom(NamedTuple):
    level: int
    module: str | None
    name: str


@cache
def _references(source: bytes) -> list[_Import | _ImportFrom | str]:
    """What a module imports, and its strings but for docstrings. Kept: stages share most of their modules."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: list[_Import | _ImportFrom | str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [_Import(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [_ImportFrom(node.level, node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found.append(node.value)
    return found


def _named(text: str, root: Path, file: Path | None) -> list[Path]:
    """What a string names: a module of ours, something in one, or a file of Python."""
    if text.endswith(".py") and "\n" not in text:
        path = (file.parent if file else root) / text
        return [path.resolve()] if path.is_file() else []
    if not _DOTTED.fullmatch(text):
        return []
    return _module(text, root, None) or _module(text.rpartition(".")[0], root, None)


def _module(name: str, root: Path, file: Path | None) -> list[Path]:
    """The module's file with its packages' ``__init__.py``; nothing for one that is not of ours."""
    parts = name.split(".")
    # A file outside the packages may import what lies beside it.
    for start in [root, *([file.parent] if file and not _ours(file, root) else [])]:
        place = start.joinpath(*parts)
        found = next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
        if found and (start != root or _ours(found, root)):
            above = [start.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts))]
            return [found, *filter(Path.is_file, above)]
    return []


def _ours(file: Path, root: Path) -> bool:
    """Whether the file lies in one of the packages."""
    return file.is_relative_to(root) and (root / file.relative_to(root).parts[0] / "__init__.py").is_file()


def _beside(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in _NOT_DATA and not path.name.startswith("."):
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not any(path.rglob("*.py")):
            yield from _beside(path)


def _digest(file: Path) -> str:
    content = file.read_bytes()
    return _sha256(_meaning(content, file.suffix) if file.suffix in _READ else content)


@cache
def _meaning(content: bytes, suffix: str) -> bytes:
    """What of a module or of YAML counts. Kept, as above."""
    if suffix == ".py":
        return ast.dump(_without_docstrings(ast.parse(content))).encode()
    return json.dumps(yaml.safe_load(content), default=str).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # Of an attribute too: a bare string does nothing wherever it stands.
            node.body = [  # type: ignore[attr-defined]
                part
                for part in body
                if not (isinstance(part, ast.Expr) and isinstance(getattr(part.value, "value", None), str))
            ]
    return tree
