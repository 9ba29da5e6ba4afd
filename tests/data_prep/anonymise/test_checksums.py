"""Checksums: published examples pass, and any single wrong digit fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.checksums import luhn_valid, old_resident_id_valid, resident_id_valid


@pytest.mark.parametrize("number", ["79927398713", "4111111111111111", "6217003850027319465"])
def test_luhn(number: str) -> None:
    assert luhn_valid(number)


@given(st.text("0123456789", min_size=15, max_size=18), st.integers(0, 14), st.integers(1, 9))
def test_luhn_finds_every_wrong_digit(number: str, at: int, by: int) -> None:
    checked = next(number + check for check in "0123456789" if luhn_valid(number + check))
    wrong = checked[:at] + str((int(checked[at]) + by) % 10) + checked[at + 1 :]
    assert not luhn_valid(wrong)


def test_resident_id() -> None:
    # The example of GB 11643-1999, and one whose check character is X.
    assert resident_id_valid("11010519491231002X")
    assert resident_id_valid("11010519491231002x")
    assert resident_id_valid("440524188001010014")


@pytest.mark.parametrize(
    "number",
    ["110105194912310021", "110105194902300021", "11010519491331002X", "110101198802304513"],
    ids=["check", "30 February", "month 13", "30 February with any check"],
)
def test_not_a_resident_id(number: str) -> None:
    assert not resident_id_valid(number)


def test_old_resident_id_needs_a_birth_date() -> None:
    assert old_resident_id_valid("110105491231002")
    assert not old_resident_id_valid("110105491331002")
