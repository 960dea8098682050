"""XML attributes of an object and of its elements that have a rule: kept in `voc_extra` by their path.

@id                of the object itself
name@lang          of an element of the object
bndbox/xmin@unit   of an element below that
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from lxml import etree

from ..xmltext import local
from .elements import Element, attribute, children

_HAS_SOME = etree.XPath("boolean(./*/@* | ./*/*/@*)")
_NUMBER = re.compile(r"[xy](?:min|max|\d+)|c[xy]|[wh]|angle", re.ASCII)
_OF_NUMBERS = ("bndbox", "polygon", "robndbox")


def taken(element: Element, names: Collection[str]) -> dict[str, str]:
    """The attributes of elements of these names, and of the numbers below them, taken off: there they are in no one's
    way. Of a number that stands twice, the first is taken. In the order of the paths, whatever that of the elements.
    """
    out: dict[str, str] = {}
    if not _HAS_SOME(element):
        return out
    for tag, child in children(element):
        if tag in names:
            _take(child, tag, out)
            for name, number in children(child) if tag in _OF_NUMBERS else ():
                if _NUMBER.fullmatch(name) is not None:
                    _take(number, f"{tag}/{name}", out)
    return dict(sorted(out.items()))


def own(extra: Mapping[str, Any]) -> str:
    """The text of an object's own attributes."""
    return "".join(attribute(key[1:], value) for key, value in extra.items() if key[:1] == "@")


def is_path(key: str) -> bool:
    """Whether a key of `voc_extra` is an attribute of an element with a rule."""
    return "@" in key[1:]


def placed(text: str, indent: str, extra: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The text of an object's elements, each at the start of a line, with the attributes that `extra` has for them; and
    those whose element is not there.
    """
    homeless: dict[str, str] = {}
    text = "\n" + text
    for key in reversed([key for key in extra if is_path(key)]):
        path, _, name = key.partition("@")
        said = attribute(name, extra[key])
        at = _end_of_tag(text, indent, path.split("/"))
        if at is None:
            homeless = {key: extra[key], **homeless}
        else:
            text = text[:at] + said + text[at:]
    return text[1:], homeless


def _take(element: Element, path: str, out: dict[str, str]) -> None:
    for name, value in list(element.attrib.items()):
        key = f"{path}@{local(name)}"
        if key not in out:
            out[key] = value
            del element.attrib[name]


def _end_of_tag(text: str, indent: str, path: list[str]) -> int | None:
    """Where the name ends in the tag of the first element of that path; markup never stands within a text."""
    start, stop = 0, len(text)
    for name in path:
        found = re.compile(rf"\n{indent}<{re.escape(name)}(?=[\s/>])").search(text, start, stop)
        if found is None:
            return None
        start, stop = found.end(), text.find(f"\n{indent}</{name}>", found.end())
        stop = len(text) if stop < 0 else stop
        indent += "\t"
    return start
