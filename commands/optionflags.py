"""What commands take: paths, and a format's Options as `--<format>-<field>` flags and back.

Flags are made from the fields' types, so that a new field, or a plug-in, needs no line here. What was given
is kept in the context and not handed to the command by name: no command takes arguments it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import click
import msgspec
from msgspec import inspect

from ..converters import registry
from ..converters.format import Format, Options
from ..converters.storage import is_url
from ..schemas.errors import UsageError


class _SomePath(click.Path):
    """A path that is said: an unset shell variable gives an empty one, which would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("a path is missing: the word is empty", param, ctx)
        return super().convert(value, param, ctx)


class _Address(_SomePath):
    """A path, or the URL of something on object storage. What a URL may be is found out when it is used."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, str) and is_url(value) else super().convert(value, param, ctx)


ADDRESS = _Address(readable=False, path_type=Path)
ANY_PATH = _SomePath(readable=False, path_type=Path)
NEW_FOLDER = _SomePath(file_okay=False, readable=False, path_type=Path)
"""A folder that is there, or will be made."""

FOLDER = click.Path(exists=True, file_okay=False, readable=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, readable=False, path_type=Path)
"""Whether a path may be read is found out when it is: refusal has an exit code of its own."""

_GIVEN = "annolake.format-options"
_WRITING = "Writing:"


class FormatOption(click.Option):
    """The flag of one field."""

    def __init__(self, format_: Format, field: inspect.Field) -> None:
        self.format_name = format_.name
        self.field_name = field.name
        self.section = f"Options of {format_.name}"
        self.description = _description(field.type)
        self.default_value = field.default
        kind = _bare(field.type)
        super().__init__(
            [f"--{format_.name}-{field.name}".replace("_", "-")],
            type=_click_type(kind),
            is_flag=isinstance(kind, inspect.BoolType),
            default=None,
            help=self.description + _default_text(field.default),
            expose_value=False,
            callback=_keep,
        )

    @property
    def flag(self) -> str:
        return self.opts[0]

    @property
    def choices(self) -> list[str]:
        return [str(choice) for choice in self.type.choices] if isinstance(self.type, click.Choice) else []


def flags(format_: Format, *, writing: bool = True) -> list[FormatOption]:
    """The flags of a format; without those that only matter to writing, if so asked."""
    info = inspect.type_info(format_.options)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    found = [FormatOption(format_, field) for field in fields]
    return [flag for flag in found if writing or not flag.description.startswith(_WRITING)]


def all_flags(*, writing: bool = True) -> list[FormatOption]:
    """The flags of all formats."""
    return [flag for name in registry.formats() for flag in flags(registry.get(name), writing=writing)]


def given_options(ctx: click.Context, *formats: str) -> dict[str, Options]:
    """The Options of those of `formats` for which a flag was given. UsageError where one was given for
    another format, or has a value that makes no sense.
    """
    given: Mapping[FormatOption, Any] = ctx.meta.get(_GIVEN, {})
    for option in given:
        if option.format_name not in formats:
            message = f"{option.flag} is for {option.format_name}, which has no part in this"
            raise UsageError(
                "option-of-other-format", message, hint=f"leave it out; here it is {' and '.join(formats)}"
            )
    out: dict[str, Options] = {}
    for name in dict.fromkeys(option.format_name for option in given):
        values = {option.field_name: value for option, value in given.items() if option.format_name == name}
        try:
            out[name] = msgspec.convert(values, registry.get(name).options)
        except msgspec.ValidationError as error:
            raise UsageError(
                "bad-option", f"an option of {name}: {error}", hint=f"see --{name}-... in --help"
            ) from None
    return out


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None:
        ctx.meta.setdefault(_GIVEN, {})[param] = value


def _bare(kind: inspect.Type) -> inspect.Type:
    """The type without its description and without None."""
    if isinstance(kind, inspect.Metadata):
        return _bare(kind.type)
    if isinstance(kind, inspect.UnionType):
        return next(_bare(one) for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _description(kind: inspect.Type) -> str:
    extra = cast(Any, kind).extra_json_schema if isinstance(kind, inspect.Metadata) else None
    return extra.get("description", "") if extra else ""


def _default_text(default: Any) -> str:
    return "" if default is None or default is False or default == "" else f"  [default: {default}]"


def _click_type(kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.LiteralType):
        return click.Choice([str(value) for value in kind.values])
    if isinstance(kind, inspect.IntType):
        is_bounded = kind.ge is not None or kind.le is not None
        return click.IntRange(min=kind.ge, max=kind.le) if is_bounded else click.INT
    if isinstance(kind, inspect.FloatType):
        return click.FLOAT
    return click.BOOL if isinstance(kind, inspect.BoolType) else click.STRING
