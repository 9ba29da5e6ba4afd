"""The teacher asked through faults and kills: nothing lost, nothing doubled, nothing paid twice."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from common.code import REPO
from data_prep.coe.ask import REFUSED, TeacherError, Written, write_chains
from data_prep.coe.checks import ChainChecks
from data_prep.coe.drawing import Drawn
from data_prep.coe.prompt import TeacherPrompt
from data_prep.coe.records import FILE, read_answers
from tests.common.chat_server.served import Served, faulty, served
from tests.data_prep.coe.made import COUNT, checks, config, order, questions, teacher_of

# Writes chains in a process of its own, for a server to kill.
_CODE: Final = (
    "import os, sys; from pathlib import Path\n"
    "from data_prep.coe.ask import write_chains; from data_prep.coe.prompt import TeacherPrompt\n"
    "from made import checks, config, order, questions\n"
    "folder, url = sys.argv[1:]; own = questions(); Path(folder, 'log.pid').write_text(str(os.getpid()))\n"
    "write_chains(order(own), config(url), TeacherPrompt.read(), checks(own), 'none', Path(folder))"
)
# Another package of this name, such as a library's, would hide `tests`.
_ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": f"{REPO}{os.pathsep}{Path(__file__).parent}"}


@pytest.fixture(scope="module")
def own() -> list[Drawn]:
    return order(questions())


@pytest.fixture(scope="module")
def sift() -> ChainChecks:
    return checks(questions())


@pytest.fixture
def teacher(own: list[Drawn], tmp_path: Path) -> Iterator[Served]:
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(teacher_of(own), ensure_ascii=False), encoding="utf-8")
    with faulty("teacher", str(texts), tmp_path / "teacher.log") as server:
        yield server


def written(own: list[Drawn], sift: ChainChecks, folder: Path, url: str, **changes: Any) -> Written:
    return write_chains(own, config(url, **changes), TeacherPrompt.read(), sift, "none", folder)


def paid_once(server: Served, folder: Path) -> None:
    asked = Counter(json.dumps(body["messages"]) for body in server.paid)
    assert set(asked.values()) == {1}
    assert len(read_answers(folder / FILE)) == len(asked)


def whole(found: Written, own: list[Drawn]) -> None:
    """The chains are those of the first questions whose teacher writes a good one at last."""
    expected = [item for number, item in enumerate(own) if number % 9][:COUNT]
    assert [item.question.id for item, _ in found.accepted] == [item.question.id for item in expected]
    assert [answer.layers for _, answer in found.accepted] == [item.question.coe for item in expected]
    last = own.index(expected[-1])
    assert [item.question.id for item, _ in found.set_aside] == [item.question.id for item in own[:last:9]]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_chain_is_asked_for_once_behind_faults(
    concurrency: int, own: list[Drawn], sift: ChainChecks, teacher: Served, tmp_path: Path
) -> None:
    with faulty("proxy", teacher.url, tmp_path / "log") as server:
        found = written(own, sift, tmp_path, server.url, concurrency=concurrency)
        whole(found, own)
        paid_once(server, tmp_path)
        calls = server.calls
        assert calls > len(server.paid)
        whole(written(own, sift, tmp_path, server.url), own)
        assert server.calls == calls


def test_killed_runs_lose_and_double_nothing(
    own: list[Drawn], sift: ChainChecks, teacher: Served, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    for kill in (5, 17, 2):
        with faulty("proxy", teacher.url, log, kill) as server:
            command = [sys.executable, "-c", _CODE, str(tmp_path), server.url]
            ended = subprocess.run(command, env=_ENVIRONMENT, cwd=REPO, capture_output=True, timeout=120)
            assert ended.returncode == -signal.SIGKILL, ended.stderr
        log.with_suffix(".pid").unlink()
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write('{"asked": "')
    with faulty("proxy", teacher.url, log) as server:
        whole(written(own, sift, tmp_path, server.url), own)
        paid_once(server, tmp_path)


def test_a_full_disk_is_told_and_gone_on_from(
    own: list[Drawn], sift: ChainChecks, teacher: Served, tmp_path: Path
) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n" + _CODE
    command = [sys.executable, "-c", code, str(tmp_path), teacher.url]
    ended = subprocess.run(command, env=_ENVIRONMENT, cwd=REPO, capture_output=True, text=True, timeout=120)
    assert "File too large. The last answer could not be written" in ended.stderr
    before = len(read_answers(tmp_path / FILE))
    assert 0 < before < COUNT
    whole(written(own, sift, tmp_path, teacher.url), own)
    # What could not be written was paid and is asked for again, and nothing else.
    asked = Counter(json.dumps(body["messages"]) for body in teacher.paid)
    assert sorted(asked.values())[-2:] == [1, 2]


def test_a_ceiling_stops_and_a_higher_one_goes_on(
    own: list[Drawn], sift: ChainChecks, teacher: Served, tmp_path: Path
) -> None:
    # An answer counts 30 tokens; a call holds its prompt's characters and 300 more.
    found = written(own, sift, tmp_path, teacher.url, max_tokens_total=2500)
    assert found.stopped_by == "max_tokens_total=2500"
    assert 0 < len(found.accepted) < COUNT
    found = written(own, sift, tmp_path, teacher.url, max_cost=1.0, price_in=1.0, price_out=1.0)
    assert found.stopped_by == ""
    whole(found, own)
    paid_once(teacher, tmp_path)


def test_other_limits_are_held_against_what_is_there(
    own: list[Drawn], sift: ChainChecks, teacher: Served, tmp_path: Path
) -> None:
    written(own, sift, tmp_path, teacher.url)
    calls = teacher.calls
    found = written(own, sift, tmp_path, teacher.url, attempts=3)
    # What was set aside after two attempts is asked about once more, and nothing else.
    assert teacher.calls - calls == len(found.set_aside)


def test_what_the_server_refuses_is_set_aside_and_the_next_takes_its_place(
    own: list[Drawn], sift: ChainChecks, tmp_path: Path
) -> None:
    with served("key", tmp_path / "log") as server:
        with pytest.raises(TeacherError, match=r"Incorrect API key.*Check base_url.*0 of 30 chains are there"):
            written(own, sift, tmp_path, server.url)
        assert server.calls == 1
    assert read_answers(tmp_path / FILE) == []
    with served("down", tmp_path / "log") as server, pytest.raises(TeacherError, match="Wait until the server is well"):
        written(own, sift, tmp_path, server.url, retries=1)
    assert len(read_answers(tmp_path / FILE)) == 3
    assert REFUSED not in {fault.check for answer in read_answers(tmp_path / FILE) for fault in answer.faults}
