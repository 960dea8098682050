"""Arguments of the documented functions, checked against their annotations before anything is done with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ..schemas.errors import UsageError
from ..schemas.plain import is_list

P = ParamSpec("P")
T = TypeVar("T")


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """UsageError, naming the parameter and what it takes, for an argument of another type. None stands for what is
    not given, where the annotation knows it. A parameter whose name ends in `path` takes a Path as well, and one
    that must be given no empty one, which would be the folder that the program happens to run in.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if name != "self":
                bound.arguments[name] = _checked(name, str(parameter.annotation), value, parameter.default)
        return function(*bound.args, **bound.kwargs)

    return call


def _checked(name: str, annotation: str, value: Any, default: Any) -> Any:
    forms = [form.strip() for form in annotation.split("|")]
    if name.endswith("path") and isinstance(value, Path):
        value = str(value)
    fitting = [form for form in forms if _FORMS[form][0](value)]
    if not fitting:
        wanted = " or ".join(_FORMS[form][1] for form in forms if form != "None")
        raise UsageError("bad-argument", f"{name} is {wanted}, not {type(value).__name__}", hint="give it so")
    if name.endswith("path") and default is inspect.Parameter.empty and not value.strip():
        raise UsageError("bad-argument", f"{name} is empty", hint="name the file or folder")
    return value


def _is_texts(value: Any) -> bool:
    listed: list[Any] = list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType]
    return is_list(listed) and all(isinstance(one, str) for one in listed)


_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "None": (lambda value: value is None, "nothing"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "bool": (lambda value: isinstance(value, bool), "True or False"),
    "int": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "Mapping[str, Any]": (lambda value: isinstance(value, Mapping), "a dictionary"),
    "dict[str, bool]": (lambda value: isinstance(value, dict), "a dictionary"),
    "Sequence[str]": (_is_texts, "a list of texts"),
}
"""How annotations are spelt in this package, what fits them, and how they are called."""
