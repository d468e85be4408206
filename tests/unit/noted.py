"""Measures that are read back."""

from collections import Counter


class Noted:
    """The `Measures` port, which remembers."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.durations: list[tuple[str, float]] = []
        self.sizes: list[int] = []
        self.levels: dict[str, float] = {}

    def count(self, what: str, *labels: str, by: int = 1) -> None:
        self.counts[what, *labels] += by

    def took(self, what: str, seconds: float, *labels: str) -> None:
        self.durations.append((what, seconds))

    def sized(self, what: str, size: int) -> None:
        self.sizes.append(size)

    def stands(self, what: str, value: float, *labels: str) -> None:
        self.levels[what] = value
