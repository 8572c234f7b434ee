"""Values that are worked out once, when they are first asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

__all__ = ["cached_property"]

Value = TypeVar("Value")


class cached_property(functools.cached_property[Value]):
    """Python's own, as it is from 3.12 on: no thread waits for another.

    Before, one lock served all objects of a class: a small protein waited for a large one, even if that was cancelled.
    """

    def __init__(self, func: Callable[[Any], Value]) -> None:
        super().__init__(func)
        self.lock = nullcontext()
