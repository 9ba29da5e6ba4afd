"""The ceiling holds while calls are under way."""

import asyncio

import pytest

from common.chat_server import Budget, CeilingReached, Usage
from eval.judge.config import JudgeConfig


def test_cost_is_by_the_million() -> None:
    ceiling = JudgeConfig(max_cost=1.0, price_in=2.0, price_out=8.0)
    assert ceiling.cost(Usage(500_000, 0)) == 1.0
    assert ceiling.cost(Usage(0, 125_000)) == 1.0
    assert ceiling.passed_by(Usage(500_000, 0)) == ""
    assert ceiling.passed_by(Usage(500_000, 1)) == "max_cost=1"


def test_calls_together_stay_under_the_ceiling() -> None:
    budget = Budget(JudgeConfig(max_tokens_total=1000), Usage())
    under_way, highest = 0, 0

    async def call() -> None:
        nonlocal under_way, highest
        most = Usage(80, 20)
        await budget.hold(most)
        under_way += 1
        highest = max(highest, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        await budget.settle(most, Usage(60, 10))

    async def run() -> list[BaseException | None]:
        return await asyncio.gather(*(call() for _ in range(30)), return_exceptions=True)

    refused = [outcome for outcome in asyncio.run(run()) if outcome is not None]
    assert highest == 10
    # The last call may use 100 and uses 70: it is begun while 900 or less are used.
    assert budget.used.tokens == 13 * 70 == 910
    assert [str(outcome) for outcome in refused] == ["max_tokens_total=1000"] * 17


def test_what_earlier_runs_used_counts() -> None:
    budget = Budget(JudgeConfig(max_tokens_total=1000), Usage(900, 50))
    with pytest.raises(CeilingReached, match="max_tokens_total=1000"):
        asyncio.run(budget.hold(Usage(60, 0)))
    asyncio.run(budget.hold(Usage(50, 0)))


def test_without_a_ceiling_everything_fits() -> None:
    asyncio.run(Budget(JudgeConfig(), Usage(10**12, 0)).hold(Usage(10**12, 0)))
