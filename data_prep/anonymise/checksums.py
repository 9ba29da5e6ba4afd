"""Checksums of bank cards and resident IDs. What such a number looks like in a text is ``patterned``'s matter."""

from datetime import date
from typing import Final

_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"


def luhn_valid(number: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def resident_id_valid(number: str) -> bool:
    """Whether 18 characters are a resident ID: a real birth date and the check character of GB 11643-1999."""
    if not _is_date(number[6:14]):
        return False
    rest = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number[:17], strict=True)) % 11
    return _ID_CHECKS[rest] == number[17].upper()


def old_resident_id_valid(number: str) -> bool:
    """Whether 15 digits can be a resident ID of before 1999, which has a birth date of the 1900s and no check."""
    return _is_date("19" + number[6:12])


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
