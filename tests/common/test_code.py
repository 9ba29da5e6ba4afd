"""Which files a result depends on, on a made-up project."""

from pathlib import Path

import pytest

from common.code import code_identity, strings

NEAR = "def late():\n    from gamma.deep import value\n    return value"
FILES = {
    "alpha/__init__.py": "",
    "alpha/entry.py": '"""alpha.unused"""\nfrom alpha import near\nimport beta.part\nRUN = ["-m", "beta.child"]\n',
    "alpha/near.py": NEAR,
    "alpha/unused.py": "X = 1\n",
    "alpha/words.txt": "a\n",
    "alpha/rules/one.yaml": "# words\nkey: 1\n",
    "beta/__init__.py": "",
    "beta/part.py": "from . import sibling\nSCRIPT = 'script.py'\n",
    "beta/sibling.py": "Y = 1\n",
    "beta/child.py": "Z = 1\n",
    "beta/script.py": "W = 1\n",
    "beta/README.md": "words\n",
    "gamma/__init__.py": "",
    "gamma/deep.py": "value = 1\n",
    "gamma/plug.py": "class Plug:\n    pass\n",
    "configs/stage.yaml": "key: 1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def identity(project: Path, *named: str) -> dict[str, str]:
    return code_identity(project / "alpha" / "entry.py", named, project)


def test_what_is_reached(project: Path) -> None:
    assert set(identity(project)) == {
        "alpha/__init__.py",
        "alpha/entry.py",
        "alpha/near.py",
        "alpha/words.txt",
        "alpha/rules/one.yaml",
        "beta/__init__.py",
        "beta/part.py",
        "beta/sibling.py",
        "beta/child.py",
        "beta/script.py",
        "gamma/__init__.py",
        "gamma/deep.py",
    }


def test_a_configuration_names_modules_and_files(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "mine" / "reward.py"
    outside.parent.mkdir()
    outside.write_text("import helper\nimport os\n")
    (outside.parent / "helper.py").write_text("A = 1\n")
    config = {"lib": "gamma.plug.Plug", "list": [{"path": str(outside)}], "n": 3}
    added = set(code_identity(project / "alpha/entry.py", strings(config), project)) - set(identity(project))
    assert {"gamma/plug.py", "mine/reward.py", "mine/helper.py"} == {
        str(Path(name).relative_to(project)) if Path(name).is_absolute() else name for name in added
    }


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("alpha/near.py", f'"""Said."""\n\n{NEAR.replace(":", ":  # and more", 1)}', False),
        ("alpha/near.py", f"{NEAR} + 1\n", True),
        ("alpha/rules/one.yaml", "# other words\nkey:   1\n", False),
        ("alpha/rules/one.yaml", "key: 2\n", True),
        ("alpha/words.txt", "b\n", True),
        ("alpha/unused.py", "X = 2\n", False),
        ("beta/README.md", "other\n", False),
        ("configs/stage.yaml", "key: 2\n", False),
        ("gamma/deep.py", "value = 2\n", True),
        ("beta/child.py", "Z = 2\n", True),
        ("beta/script.py", "W = 2\n", True),
    ],
)  # fmt: skip
def test_what_counts(name: str, text: str, counts: bool, project: Path) -> None:
    before = identity(project)
    (project / name).write_text(text)
    assert (identity(project) != before) == counts
