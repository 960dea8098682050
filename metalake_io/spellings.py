"""Two names for one parameter, and functions that have had their day."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ..schemas.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")


def also_called(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let callers use other names for keyword parameters: `also_called(other="ours")`. UsageError for both at once."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for other, ours in names.items():
                if other in kwargs:
                    if ours in kwargs:
                        raise UsageError(
                            "given-twice", f"{other} and {ours} are one parameter", hint="give one of them"
                        )
                    kwargs[ours] = kwargs.pop(other)
            return function(*args, **kwargs)

        return call

    return decorate


def deprecated(instead: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Warn at each call that `instead` is the way to go. Stands above `also_called`."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            message = f"{function.__name__} is deprecated, use {instead}"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return call

    return decorate
