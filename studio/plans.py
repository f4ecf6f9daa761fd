"""How many people may play in a project at once, by its owner's plan. Who only looks on is not counted."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Plan: TypeAlias = Literal["solo", "band", "studio"]

PLACES: Final[Mapping[str, int]] = MappingProxyType({"solo": 1, "band": 5, "studio": 25})
