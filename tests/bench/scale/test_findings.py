"""Tables say what was measured, and a broken bound cannot be overlooked."""

from bench.scale.findings import Findings, median, number, tables


def test_a_broken_bound_is_marked_and_counted() -> None:
    """Too much and too little are both marked; what has no bound is never broken."""
    found = Findings("name", "title")
    found.add("memory", 3000, "MiB", 2048)
    found.add("rooms", 9, "", 10, "least")
    found.add("told", 5)
    assert found.broken() == 2
    text = tables([found], True)
    assert "| memory | 3,000 MiB | ≤ 2,048 ✗ |" in text
    assert "| rooms | 9 | ≥ 10 ✗ |" in text
    assert "| told | 5 |  |" in text
    assert found.dump()["rows"][0]["kept"] is False  # type: ignore[index]


def test_figures_are_as_exact_as_they_are_worth() -> None:
    """Three digits, or the whole number."""
    assert [number(value) for value in (1234.5, 12.34, 1.234, 0.01234, 7)] == ["1,234", "12.3", "1.23", "0.012", "7"]


def test_the_median_of_an_even_number_lies_between() -> None:
    """And of an odd number it is the one in the middle."""
    assert median([4, 1, 3, 2]) == 2.5
    assert median([9, 1, 5]) == 5
