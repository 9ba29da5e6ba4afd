"""How long the preparation of a corpus of Empathy-QA's size takes, beside datasketch and a plain pandas version.

    python -m benchmarks.data_prep                        # 41,000 questions, half and double of it, the peers
    python -m benchmarks.data_prep questions=4000 scales=[1] source=smilechat.zip

A `source` of many dialogues is the honest one: sentences that are equal within a batch are looked at once, and a corpus
recombined from the small sample has many of them (the command prints their share).

Builds a corpus (`benchmarks.corpus`), then for each size runs `data_prep.prepare` and the report in a process of its
own and prints each step's seconds, the peak memory of that process and its workers, and microseconds a response. The
parts of the treatment, which is nearly all of it, are timed and profiled on one core. Run it alone on the machine: the
figures of two programs that share cores mean nothing.
"""

import cProfile
import io
import json
import pstats
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from timeit import timeit
from typing import Any

import pandas as pd
import psutil
from datasketch import MinHash, MinHashLSH
from omegaconf import OmegaConf

from benchmarks import corpus as made_up
from common.code import REPO
from common.records.question import Question
from data_prep.anonymise.entities import TYPES as ENTITY_TYPES
from data_prep.anonymise.placeholders import ALL_TYPES
from data_prep.anonymise.sentences import sentences
from data_prep.config import DataConfig
from data_prep.corpora import load_corpus
from data_prep.duplicates import GRAM, PERMUTATIONS, alike_pairs, signatures
from data_prep.emotion import EmotionLexicon
from data_prep.engine import BATCH
from data_prep.risk import RiskRules
from data_prep.treatment import Treatment

PEER_RESPONSES = 2000


@dataclass
class Options:
    """What is measured.

    Attributes:
        questions: of the corpus at scale 1.
        scales: sizes, as multiples of it.
        source: the corpus that texts are recombined from; None for the sample.
        workers: processes of the treatment.
        names: whether names, schools, employers and addresses are masked too.
        budget_s, budget_gb: what scale 1 has to stay within.
        json: where the figures are written as well; None for nowhere.
    """

    questions: int = 41_000
    scales: list[float] = field(default_factory=lambda: [0.5, 1.0, 2.0])
    source: str | None = None
    workers: int = 2
    names: bool = True
    budget_s: float = 1500
    budget_gb: float = 4
    json: str | None = None


def main() -> None:
    """Measure, print, and end with 1 where scale 1 is over its budget."""
    options: Options = OmegaConf.to_object(  # type: ignore[assignment]
        OmegaConf.merge(OmegaConf.structured(Options), OmegaConf.from_dotlist(sys.argv[1:]))
    )
    figures: dict[str, Any] = {"sizes": {}}
    with tempfile.TemporaryDirectory() as folder:
        for scale in options.scales:
            path = Path(folder) / f"{scale}.jsonl"
            made_up.write(path, round(options.questions * scale), Path(options.source) if options.source else None)
            figures["sizes"][scale] = _measure(path, options.workers, options.names)
            _print_size(scale, figures["sizes"][scale])
        figures["parts"] = _parts(path)
        figures["peers"] = _peers(path)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    if base := figures["sizes"].get(1.0):
        for scale, size in figures["sizes"].items():
            print(
                f"time a response at {scale}: {size['us_a_response'] / base['us_a_response']:.2f} of that at size 1.0"
            )
        within = base["seconds"] <= options.budget_s and base["peak_gb"] <= options.budget_gb
        print(f"budget {options.budget_s:g} s and {options.budget_gb:g} GB: {'kept' if within else 'exceeded'}")
        sys.exit(not within)


def _measure(path: Path, workers: int, names: bool) -> dict[str, Any]:
    """Run a process of its own on a corpus and watch the memory of it and its children."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.prepare_one",
        str(path),
        str(workers),
        *([] if names else ["patterned"]),
    ]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _memory(watched))
            time.sleep(0.5)
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        sys.exit(f"preparing {path} ended with {process.returncode}:\n{output}")
    result = json.loads(output.splitlines()[-1])
    seconds = time.perf_counter() - started
    return {
        **result,
        "seconds": round(seconds, 1),
        "peak_gb": round(peak / 1e9, 2),
        "us_a_response": round(1e6 * seconds / result["responses"], 1),
    }


def _memory(process: psutil.Process) -> float:
    """Bytes of a process and its children, what they share counted once."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def _print_size(scale: float, size: dict[str, Any]) -> None:
    print(
        f"\n{scale} × : {size['questions']:,} questions, {size['responses']:,} responses: {size['seconds']} s, "
        f"{size['us_a_response']} µs a response, peak {size['peak_gb']} GB, {size['written_mb']} MB written"
    )
    for step, seconds in sorted(size["steps"].items(), key=lambda item: -item[1]):
        print(f"  {seconds:8.2f} s  {step}")


def _parts(path: Path) -> dict[str, float]:
    """Microseconds a response of each part of the treatment on one core, and the profile of the slowest."""
    questions = load_corpus(path).questions[:500]
    responses = sum(len(question.responses) for question in questions)
    treatment = Treatment(DataConfig().treatment)
    patterned = Treatment(DataConfig(mask=sorted(set(ALL_TYPES) - ENTITY_TYPES)).treatment)
    lexicon, risks = EmotionLexicon.load(), RiskRules.load()
    texts = [[question.post, *question.responses] for question in questions]
    parts: dict[str, Callable[[], object]] = {
        "cleaning": lambda: [treatment.clean(question) for question in questions],
        "masking": lambda: [
            treatment.mask([(question, ()) for question in questions[start : start + BATCH]])
            for start in range(0, len(questions), BATCH)
        ],
        "masking of patterned types alone": lambda: [
            patterned.mask([(question, ()) for question in questions[start : start + BATCH]])
            for start in range(0, len(questions), BATCH)
        ],
        "risk tags": lambda: [risks(question.post) for question in questions],
        "emotion words": lambda: [lexicon.vectors(each) for each in texts],
        "signatures": lambda: [signatures(each) for each in texts],
    }
    characters = sum(len(text) for own in texts for text in own)
    cut = [sentence for own in texts[:BATCH] for text in own for _, sentence in sentences(text)]
    print(f"\nthe treatment's parts on one core, {responses} responses of {characters:,} characters with their posts,")
    print(f"{1 - len(set(cut)) / len(cut):.2f} of a batch's sentences equal to another:")
    times: dict[str, float] = {}
    for name, part in parts.items():
        times[name] = round(1e6 * timeit(part, number=1) / responses, 1)
        print(f"  {times[name]:8.1f} µs a response, {times[name] * responses / characters:6.2f} µs a character  {name}")
    slowest = max(times, key=lambda name: times[name])
    profile = cProfile.Profile()
    profile.runcall(parts[slowest])
    shown = io.StringIO()
    pstats.Stats(profile, stream=shown).strip_dirs().sort_stats("tottime").print_stats(12)
    print(f"\nprofile of {slowest}:\n" + "\n".join(shown.getvalue().splitlines()[4:]))
    return times


def _peers(path: Path) -> dict[str, float]:
    """Near-duplicates by datasketch, and the same preparation written plainly in pandas, on a part of the corpus."""
    questions = load_corpus(path).questions
    responses = [text for question in questions for text in question.responses][:PEER_RESPONSES]
    figures = {
        "ours: signatures and pairs": timeit(lambda: alike_pairs(signatures(responses), 0.8), number=1),
        "datasketch: signatures and LSH": timeit(lambda: _datasketch(responses), number=1),
    }
    some = questions[: PEER_RESPONSES // 4]
    count = sum(len(question.responses) for question in some)
    print(f"\npeers, on {len(responses)} responses:")
    for name, seconds in figures.items():
        print(f"  {1e6 * seconds / len(responses):8.1f} µs a response  {name}")
    figures["plain pandas"] = timeit(lambda: _plain_pandas(some), number=1)
    print(
        f"  {1e6 * figures['plain pandas'] / count:8.1f} µs a response  plain pandas: clean, five patterns, datasketch"
    )
    return {name: round(seconds, 3) for name, seconds in figures.items()}


def _datasketch(texts: list[str]) -> int:
    index = MinHashLSH(threshold=0.8, num_perm=PERMUTATIONS)
    found = 0
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([text[i : i + GRAM].encode() for i in range(len(text) - GRAM + 1)])
        found += bool(index.query(sketch))
        index.insert(str(number), sketch)
    return found


def _plain_pandas(questions: list[Question]) -> pd.DataFrame:
    """What one writes first: columns, ``str.replace``, ``apply``; no names, places, risks, emotions or report."""
    frame = pd.DataFrame(
        [{"id": q.id, "post": q.post, "response": response} for q in questions for response in q.responses]
    )
    patterns = [
        (r"<[^>]+>|&[a-z]+;", ""),
        (r"https?://\S+", ""),
        (r"(.)\1{3,}", r"\1\1\1"),
        (r"1[3-9]\d{9}", "[电话]"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "[邮箱]"),
        (r"(?<=微信)\W*[A-Za-z][\w-]{5,19}", "[微信]"),
        (r"(?<=QQ)\W*[1-9]\d{4,10}", "[QQ]"),
    ]
    for column in ("post", "response"):
        for pattern, replacement in patterns:
            frame[column] = frame[column].str.replace(pattern, replacement, regex=True, flags=re.I)
    frame = frame[frame["response"].str.len() > 100].drop_duplicates("response")
    _datasketch(frame["response"].tolist())
    return frame


if __name__ == "__main__":
    main()
