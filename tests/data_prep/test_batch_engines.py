"""The engines: the same result wherever batches are treated, and nothing done twice after a kill."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pytest
from threadpoolctl import threadpool_info

from common.code import REPO
from common.records.question import Question, from_table, to_table
from data_prep import engine
from data_prep.config import DataConfig
from data_prep.engine import treat_questions
from data_prep.treatment import TREATED_SCHEMA, Treated

MakeQuestions = Callable[[int], list[Question]]

CONFIG = DataConfig().treatment

# A run of the whole preparation, as `make data` does it, on a made-up corpus: long enough to be killed in the middle.
RUN = """
import sys
from pathlib import Path
from benchmarks.prepare_one import tokenizer
from data_prep import engine
from data_prep.config import DataConfig
from data_prep.corpora import load_corpus
from data_prep.prepare import prepare
from data_prep.report import write_report
engine.BATCH = 16
corpus, folder = load_corpus(Path(sys.argv[1])), Path(sys.argv[2])
config = DataConfig(data_source="made up", test_size=20, val_size=10, workers=int(sys.argv[3]))
print("imported", flush=True)
write_report(prepare(corpus, load_corpus(None), {}, tokenizer(), config, folder), config, folder)
"""


def rows(results: list[Treated]) -> list[tuple[object, ...]]:
    """What a result consists of, its arrays as bytes."""
    return [
        (r.question, r.rejected, r.changes, r.masked, r.emotions, r.emotion_counts.tobytes(), r.signatures.tobytes())
        for r in results
    ]


def test_questions_come_back_from_a_table(make_questions: MakeQuestions) -> None:
    questions = [
        replace(q, group="", response_emotions=(), risk_level="acute", risks=("abuse",)) for q in make_questions(7)
    ]
    questions[3] = replace(questions[3], coe=None)
    assert list(from_table(to_table(questions))) == questions


@pytest.mark.parametrize("damage", ["cut", "nothing", "inside", "foreign"])
def test_a_damaged_batch_is_made_again(
    make_questions: MakeQuestions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    monkeypatch.setattr(engine, "BATCH", 4)
    questions = make_questions(12)
    expected = rows(list(treat_questions(questions, CONFIG, tmp_path, workers=1)))
    victim = sorted(tmp_path.glob("*.parquet"))[1]
    content = victim.read_bytes()
    # Half a file, none of it, zeros amid a file whose end is whole, and another text.
    victim.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "nothing": b"",
            "inside": content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :],
            "foreign": b"no parquet",
        }[damage]
    )
    assert rows(list(treat_questions(questions, CONFIG, tmp_path, workers=1))) == expected
    assert f"{victim}: a damaged batch, made again." in caplog.text
    assert victim.read_bytes() == content


def test_some_bytes_that_are_damaged_in_a_batch_are_noticed(
    make_questions: MakeQuestions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [question] = make_questions(1)
    signature = random.Random(0).randbytes(1000)
    row = {"id": question.id, "signatures": signature}
    table = pa.Table.from_pylist([row], schema=TREATED_SCHEMA)
    monkeypatch.setattr(engine, "_treatment", lambda config: lambda batch: table)
    batch = engine._Batch(0, [question], tmp_path / "a.parquet")
    engine._write(batch.file, table)
    content = batch.file.read_bytes()
    # zstd keeps as they are the bytes that it finds no pattern in; statistics repeat them, but behind the values.
    batch.file.write_bytes(content.replace(signature, signature[:500] + bytes(8) + signature[508:], 1))
    assert engine._is_whole(batch)
    assert engine._read(batch, CONFIG)["signatures"].to_pylist() == [signature]
    assert batch.file.read_bytes() == content


def test_finished_batches_are_not_done_again(
    make_questions: MakeQuestions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BATCH", 4)
    questions = make_questions(10)
    first = rows(list(treat_questions(questions, CONFIG, tmp_path, workers=1)))
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    times = {path: path.stat().st_mtime_ns for path in files}
    files[1].unlink()
    assert rows(list(treat_questions(questions, CONFIG, tmp_path, workers=1))) == first
    again = {path for path in files if path.stat().st_mtime_ns != times[path]}
    assert again == {files[1]}


@pytest.mark.parametrize("change", ["question", "config"])
def test_what_changed_is_done_anew(
    make_questions: MakeQuestions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(engine, "BATCH", 4)
    questions, config = make_questions(8), CONFIG
    list(treat_questions(questions, config, tmp_path, workers=1))
    if change == "question":
        questions[7] = replace(questions[7], title="另一个题目")
    else:
        config = replace(config, min_response_chars=101)
    results = list(treat_questions(questions, config, tmp_path, workers=1))
    assert results[7].question is not None
    assert results[7].question.title == questions[7].title
    assert len(list(tmp_path.iterdir())) == {"question": 3, "config": 4}[change]


def test_unknown_engine(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"engine 'spark', expected one of \['local', 'ray'\]"):
        list(treat_questions([], CONFIG, tmp_path, "spark"))


@pytest.mark.parametrize("key", ["mask_model", "emotion_model"])
def test_a_model_that_is_not_there_is_named(make_questions: MakeQuestions, tmp_path: Path, key: str) -> None:
    absent = str(tmp_path / "absent")
    config = replace(CONFIG, mask_model=absent) if key == "mask_model" else replace(CONFIG, emotion_model=absent)
    with pytest.raises(ValueError, match=rf"{key}=.*absent: no such model.*hub id"):
        list(treat_questions(make_questions(2), config, tmp_path, workers=1))


@pytest.mark.slow
def test_an_error_in_a_pool_reaches_the_caller(make_questions: MakeQuestions, tmp_path: Path) -> None:
    config = replace(CONFIG, emotion_model=str(tmp_path / "absent"))
    with pytest.raises(ValueError, match=r"emotion_model=.*absent: no such model"):
        list(treat_questions(make_questions(2 * engine.BATCH), config, tmp_path, workers=2))


def test_a_worker_has_one_thread_for_matrices() -> None:
    # Two workers with two each took thirty times as long for the tagger, on two cores.
    context = get_context("forkserver")
    context.set_forkserver_preload([Treated.__module__])
    with ProcessPoolExecutor(1, context, initializer=engine._begin_worker) as pool:
        found = pool.submit(threadpool_info).result()
    assert found
    assert {library["num_threads"] for library in found} == {1}


@pytest.mark.spread
def test_pool_and_two_ray_nodes_give_the_same(make_questions: MakeQuestions, tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    questions = make_questions(6 * engine.BATCH)
    alone = rows(list(treat_questions(questions, CONFIG, tmp_path / "alone", workers=1)))
    assert rows(list(treat_questions(questions, CONFIG, tmp_path / "pool", workers=2))) == alone
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address)
        assert len([node for node in ray.nodes() if node["Alive"]]) == 2
        assert rows(list(treat_questions(questions, CONFIG, tmp_path / "ray", "ray"))) == alone
    finally:
        ray.shutdown()
        cluster.shutdown()
    names = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("alone", "pool", "ray")]
    assert names[0] == names[1] == names[2]


@pytest.mark.spread
def test_ten_kills_leave_no_trace(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    build = ["-m", "benchmarks.corpus", f"out={corpus}", "questions=600"]
    subprocess.run([sys.executable, *build], cwd=REPO, check=True, timeout=60)

    def start(folder: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", RUN, str(corpus), str(folder), "2"]
        process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "imported\n"
        return process

    def finish(process: "subprocess.Popen[str]") -> float:
        started = time.monotonic()
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        return time.monotonic() - started

    length = finish(start(tmp_path / "whole"))
    rng = random.Random(0)
    for _ in range(10):
        process = start(tmp_path / "killed")
        try:
            process.wait(rng.uniform(0, length))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    finish(start(tmp_path / "killed"))
    files = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "killed").iterdir())
    assert "triplets.parquet" in files
    for name in files:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name
