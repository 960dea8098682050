"""XML elements that no rule knows, as JSON and back, so that they come home.

    <a>text</a>                    "text"
    <a><b>1</b><c/></a>            {"b": "1", "c": ""}
    <a><b>1</b><b>2</b></a>        {"b": ["1", "2"]}
    <a k="v">text</a>              {"@k": "v", "#text": "text"}

Namespaces, comments, and the place of a repeated element among others are not kept: they mean nothing in VOC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from ...schemas.errors import InvalidInput
from ...schemas.plain import is_list, is_object
from ..xmltext import is_text, local

Element = etree._Element  # pyright: ignore[reportPrivateUsage]
Content = str | dict[str, Any]

DEEPEST = 100
_NAME = re.compile(r"[^\W\d][\w.\-]*")
_SPECIAL = re.compile("[&<>\r]")


def without_namespaces(root: Element) -> None:
    """Give every element its local name."""
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = local(element.tag)


def children(element: Element) -> Iterator[tuple[str, Element]]:
    """The elements below, with their names; no comments."""
    for child in element:
        tag = child.tag
        if isinstance(tag, str):
            yield tag, child


def content(element: Element) -> Content:
    """What an element holds."""
    out: dict[str, Any] = {f"@{local(name)}": value for name, value in element.attrib.items()}
    texts = [element.text or ""]
    leaf = True
    for child in element:
        texts.append(child.tail or "")
        if isinstance(child.tag, str):
            leaf = False
            add(out, child.tag, content(child))
    text = "".join(texts)
    if leaf and not out:
        return text
    if text.strip():
        out["#text"] = text.strip() if not leaf else text
    return out


def text_of(held: Any) -> Any:
    """The text of an element that may have attributes."""
    return held.get("#text", "") if is_object(held) else held


def add(held: dict[str, Any], name: str, value: Content) -> None:
    """Put an element beside those of the same name."""
    if name not in held:
        held[name] = value
    elif is_list(held[name]):
        held[name].append(value)
    else:
        held[name] = [held[name], value]


def lines_of(name: str, value: Any, indent: str, depth: int = 0) -> Iterator[str]:
    """The lines of an element, or of all elements of that name where the value is a list. InvalidInput for what no
    element is: it may have been noted by others.
    """
    if _NAME.fullmatch(name) is None or depth > DEEPEST:
        raise InvalidInput("voc-extra", f"{name[:40]!r} cannot be an XML element", hint="take it out of the metadata")
    if is_list(value):
        for item in value:
            if is_list(item):
                raise InvalidInput("voc-extra", f"{name!r} has a list in a list", hint="take it out of the metadata")
            yield from lines_of(name, item, indent, depth)
    elif is_object(value):
        attributes = "".join(attribute(key[1:], item) for key, item in value.items() if key[:1] == "@")
        children = {key: item for key, item in value.items() if key[:1] not in ("@", "#")}
        text = escaped(value["#text"]) if "#text" in value else ""
        if not children:
            yield f"{indent}<{name}{attributes}>{text}</{name}>" if text else f"{indent}<{name}{attributes}/>"
            return
        yield f"{indent}<{name}{attributes}>{text}"
        for key, item in children.items():
            yield from lines_of(key, item, indent + "\t", depth + 1)
        yield f"{indent}</{name}>"
    else:
        yield leaf(name, value, indent)


def leaf(name: str, text: Any, indent: str) -> str:
    return f"{indent}<{name}>{escaped(text)}</{name}>" if text != "" else f"{indent}<{name}/>"


def attribute(name: str, value: Any) -> str:
    if _NAME.fullmatch(name) is None:
        raise InvalidInput("voc-extra", f"{name[:40]!r} cannot be an XML attribute", hint="take it out")
    return f" {name}={quoteattr(_checked(value))}"


def escaped(text: Any) -> str:
    """A text as it stands in XML. InvalidInput (`not-xml-text`) for what XML has no form for."""
    return (
        escape(_checked(text), {"\r": "&#13;"})
        if not isinstance(text, str) or _SPECIAL.search(text)
        else _checked(text)
    )


def _checked(text: Any) -> str:
    if not isinstance(text, str):
        raise InvalidInput("voc-extra", f"{text!r} is no text of an XML element", hint="make it a text")
    if not text.isprintable() and not is_text(text):
        message = f"{text[:60]!r} holds a control character, which XML cannot"
        raise InvalidInput("not-xml-text", message, hint="rename it without control characters")
    return text
