"""Runs the treatment of questions over batches: in a pool of processes, or on Ray Data, with the same result.

Each batch that is done is a file in the work folder, named after its content and after what it was treated with. A run
that was killed goes on with the batches that are missing, and what is there was made by the same rules.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, Final, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from common.files import replacing
from common.records.question import Question, to_table
from data_prep.config import TreatmentConfig
from data_prep.treatment import TREATED_SCHEMA, Treated, Treatment, treated, treatment_key

logger = logging.getLogger(__name__)

Engine = Literal["local", "ray"]

# Questions in a batch: some seconds of work, so that little is lost with a process and a bar moves.
BATCH: Final = 256

_BATCH_COLUMN = "batch"


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    questions: Sequence[Question]
    file: Path

    @property
    def table(self) -> pa.Table:
        """Made anew each time: a large corpus need not lie in memory twice."""
        return to_table(self.questions)


def treat_questions(
    questions: Sequence[Question],
    config: TreatmentConfig,
    work_dir: Path,
    engine: str = "local",
    workers: int | None = None,
) -> Iterator[Treated]:
    """Every question treated, in the order given.

    Args:
        work_dir: where finished batches lie; the caller removes it when all is done.
        engine: "local", or "ray" for Ray Data on the cluster that ``RAY_ADDRESS`` names, else on this machine.
        workers: processes; None for one a core, of the cluster's with Ray.

    Raises:
        ValueError: an unknown engine.
        Exception: whatever treating a batch raises; finished batches stay.
    """
    if engine not in get_args(Engine):
        raise ValueError(f"engine {engine!r}, expected one of {list(get_args(Engine))}. Correct the config.")
    parts = [questions[start : start + BATCH] for start in range(0, len(questions), BATCH)]
    batches = [
        _Batch(number, part, work_dir / f"{number:06d}-{_digest(to_table(part), config)}.parquet")
        for number, part in enumerate(parts)
    ]
    missing = [batch for batch in batches if not _is_whole(batch)]
    run = _run_ray if engine == "ray" else _run_local
    with tqdm(
        total=len(batches), initial=len(batches) - len(missing), desc="treating", unit="batch", disable=None
    ) as bar:
        if missing:
            run(missing, config, workers, bar.update)
    for batch in batches:
        yield from map(_sharing_texts, treated(_read(batch, config)), batch.questions)


def _is_whole(batch: _Batch) -> bool:
    """Whether a batch's file is there with all its rows; one that a full disk has cut off is made again."""
    if not batch.file.is_file():
        return False
    try:
        whole: bool = pq.read_metadata(batch.file).num_rows == len(batch.questions)
    except (pa.ArrowException, OSError):
        whole = False
    if not whole:
        logger.warning("%s: a damaged batch, made again.", batch.file)
    return whole


def _read(batch: _Batch, config: TreatmentConfig) -> pa.Table:
    """A batch's results; treated here once more where the file cannot be read."""
    try:
        return pq.read_table(batch.file, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        logger.warning("%s: a damaged batch, made again.", batch.file)
        _write(batch.file, _treatment(config)(batch.table))
        return pq.read_table(batch.file)


def _sharing_texts(result: Treated, came: Question) -> Treated:
    """The result with the very strings that came wherever nothing was changed, so that they are in memory once."""
    new = result.question
    if new is None:
        return result
    texts = {text: text for text in (came.title, came.description, *came.responses)}
    title, description, *responses = (texts.get(text, text) for text in (new.title, new.description, *new.responses))
    return replace(result, question=replace(new, title=title, description=description, responses=tuple(responses)))


def _run_local(batches: list[_Batch], config: TreatmentConfig, workers: int | None, done: Callable[[], Any]) -> None:
    count = min(workers or len(os.sched_getaffinity(0)), len(batches))
    if count == 1:
        treatment = Treatment(config)
        for batch in batches:
            _write(batch.file, treatment(batch.table))
            done()
        return
    # A server that has imported the steps forks the workers: no thread of this process comes along.
    context = get_context("forkserver")
    context.set_forkserver_preload([Treatment.__module__, "data_prep.anonymise.engine"])
    with ProcessPoolExecutor(count, context, initializer=_begin_worker) as pool:
        waiting, running = iter(batches), set[Future[None]]()
        try:
            while True:
                # A few at a time: what waits for a worker lies in memory.
                begun = islice(waiting, 2 * count - len(running))
                running |= {pool.submit(_treat_and_write, batch.table, batch.file, config) for batch in begun}
                if not running:
                    break
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_treatment = cache(Treatment)


def _begin_worker() -> None:
    # A process a core: where each had a thread a core for its matrices besides, the tagger took thirty times as long.
    threadpool_limits(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's worker waits for work for ever when the process that gives it was killed.
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _treat_and_write(table: pa.Table, file: Path, config: TreatmentConfig) -> None:
    # Set up here and not when the process starts: an error then reaches whoever waits for the batch.
    _write(file, _treatment(config)(table))


class _RayTreatment:
    """What Ray Data keeps in each of its workers."""

    def __init__(self, config: TreatmentConfig) -> None:
        self._treatment = Treatment(config)

    def __call__(self, table: pa.Table) -> pa.Table:
        result = self._treatment(table.drop_columns([_BATCH_COLUMN]))
        return result.append_column(_BATCH_COLUMN, table[_BATCH_COLUMN])


def _run_ray(batches: list[_Batch], config: TreatmentConfig, workers: int | None, done: Callable[[], Any]) -> None:
    # Texts of people in distress: nothing about a run goes to Ray's makers. It has to be said before Ray is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    ray.init(ignore_reinit_error=True, include_dashboard=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    count = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(batches))
    numbered = [
        batch.table.append_column(_BATCH_COLUMN, pa.array([batch.number] * len(batch.table), pa.int64()))
        for batch in batches
    ]
    files = {batch.number: batch.file for batch in batches}
    results = ray.data.from_arrow(numbered).map_batches(
        _RayTreatment,
        fn_constructor_args=(config,),
        batch_format="pyarrow",
        batch_size=None,
        num_cpus=1,
        concurrency=count,
    )
    blocks: Iterable[Any] = results.iter_batches(batch_format="pyarrow", batch_size=None)
    for table in blocks:
        # A block is a batch: from_arrow makes one of each table, and none is large enough for Ray to split it.
        numbers = table[_BATCH_COLUMN].unique().to_pylist()
        if len(numbers) != 1:
            raise RuntimeError(f"Ray Data gave batches {numbers} as one block, expected one batch. Report this bug.")
        _write(files[numbers[0]], table.drop_columns([_BATCH_COLUMN]))
        done()


def _write(path: Path, table: pa.Table) -> None:
    with replacing(path) as temporary:
        # zstd without checksums unpacks most damage into other text.
        pq.write_table(table.cast(TREATED_SCHEMA), temporary, compression="zstd", write_page_checksum=True)


def _digest(table: pa.Table, config: TreatmentConfig) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return hashlib.sha256(treatment_key(config).encode() + memoryview(sink.getvalue())).hexdigest()[:16]
