"""What programs write into documents stands between two marks: `<!-- name -->` and `<!-- /name -->`."""

from __future__ import annotations


def marked(text: str, name: str) -> str:
    """The part of a document between its marks. ValueError where it has none."""
    _, _, rest = _parted(text, name)
    return rest


def with_marked(text: str, name: str, part: str) -> str:
    """The document with that part between its marks. ValueError where it has none."""
    before, after, _ = _parted(text, name)
    return f"{before}{part}{after}"


def _parted(text: str, name: str) -> tuple[str, str, str]:
    """Up to the first mark, from the second one on, and what is between them."""
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, begins, rest = text.partition(opening)
    part, ends, after = rest.partition(closing)
    if not begins or not ends:
        raise ValueError(f"the document has no place for it: {opening.strip()} ... {closing}")
    return before + opening, closing + after, part
