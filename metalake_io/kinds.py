"""The service's words and numbers for media and objects."""

from __future__ import annotations

from ..schemas.errors import UsageError

MEDIA = {"image": 5, "video": 4, "other": 7}
"""`collectionType`, and `objectType` where collections are looked up."""

OBJECTS = {"image": 2, "video": 1, "other": 6}
"""`contentType` of lists and selections."""

OF_COLLECTION = {5: 2, 4: 1, 7: 6, 3: 2}
"""From a collection's object type to the content type of what is in it; 3 is a data set."""

SUFFIXES = {"image": ("jpg", "jpeg", "png"), "video": ("mp4", "mkv")}
"""What the service takes as images and videos; anything goes as other."""

CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "mkv": "video/x-matroska",
}


def media(word: str) -> str:
    """`image`, `video` or `other`, in any case of letters. UsageError for anything else."""
    kind = word.lower() if isinstance(word, str) else ""  # pyright: ignore[reportUnnecessaryIsInstance]
    if kind not in MEDIA:
        raise UsageError("content-type", f"the content type is image, video or other, not {word!r}")
    return kind


def collection_target(name: str, content_type: str) -> str:
    """What a collection is called in journals and messages."""
    return f"{media(content_type)} collection {name!r}"


def media_of(number: int) -> str:
    """The word for the number that the deprecated functions take: 5 image, 4 video, 7 other."""
    for kind, known in MEDIA.items():
        if known == number:
            return kind
    raise UsageError("content-type", f"the collection type is 5 for image, 4 for video or 7 for other, not {number!r}")
