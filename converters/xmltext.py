"""XML that comes from outside: no DTD, no entities, no network; whatever is wrong is said with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from ..schemas.errors import InvalidInput, Place

DTD_HINT = "take the <!DOCTYPE> out: an annotation file needs none, and entities in it can do harm"
_NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(data: bytes, file: str) -> etree._Element:  # pyright: ignore[reportPrivateUsage]
    """The root of a document, in the encoding it declares, else UTF-8. InvalidInput names file, line and column."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise broken(error, file) from None
    check_no_dtd(root, file)
    return root


def check_no_dtd(root: etree._Element, file: str) -> None:  # pyright: ignore[reportPrivateUsage]
    """InvalidInput for a document with a DTD; also of one that is still being read."""
    if root.getroottree().docinfo.doctype:
        raise InvalidInput("dtd-refused", "the XML has a DTD", place=Place(file=file, line=1), hint=DTD_HINT)


def broken(error: etree.XMLSyntaxError, file: str) -> InvalidInput:
    """A parser's complaint as an error of ours."""
    line, column = error.position
    message = re.sub(r", line \d+, column \d+.*", "", error.msg or "not well-formed", flags=re.DOTALL)
    hint = "mend the file, or leave it out"
    if "encoding" in message.lower() or "utf-8" in message.lower() or "bytes:" in message.lower():
        hint = "save it as UTF-8, or declare its encoding in the first line: <?xml version='1.0' encoding='...'?>"
    place = Place(file=file, line=line or 1, column=column or 1)
    return InvalidInput("not-well-formed", f"this is no well-formed XML: {message}", place=place, hint=hint)


def is_text(text: str) -> bool:
    """Whether XML can hold a text: it has no form for most control characters, nor for halves of surrogate pairs."""
    return _NOT_TEXT.search(text) is None


def local(tag: object) -> str:
    """An element's name without its namespace; empty for comments and processing instructions."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def iterated(source: BinaryIO, file: str) -> Iterator[tuple[str, etree._Element]]:  # pyright: ignore[reportPrivateUsage]
    """Elements of a document as they begin (`start`) and are complete (`end`), without comments and processing
    instructions; whoever is done with an element clears it. InvalidInput as `parsed`.
    """
    events = etree.iterparse(
        source,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    first = True
    try:
        for event, element in events:
            if first:
                check_no_dtd(element, file)
                first = False
            yield event, element
    except etree.XMLSyntaxError as error:
        raise broken(error, file) from None
