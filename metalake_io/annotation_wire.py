"""Annotations as the service takes them: labels and attributes by their keys, shapes as points.

The elements of `metaUpdatesArray` of the update call; keys in the order of the official SDK. Coordinates are sent as
they are, and the service turns fractions into pixels.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any, Literal

import msgspec

from ..schemas.errors import InvalidInput, Place
from ..schemas.model import Annotation, Record, Rectangle, Value
from ..schemas.plain import ready

Target = Literal["object_key", "storage_path", "job"]

_NAMESPACE = uuid.UUID("6f1f3c0e-6a68-5d0b-9f5e-3a1f0a5a7d11")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """How the names in a file become the service's: `prefix` stands before them. `collection_id`, where it is known."""

    target: Target
    prefix: str = ""
    job_id: str | None = None
    bucket: str | None = None
    collection_id: str | None = None


class Run(msgspec.Struct, frozen=True):
    """One annotation run. `stamp`: seconds since 1970. Whatever is sent again is sent with the same ids."""

    operation: str
    human: bool
    stamp: float


class Reference(msgspec.Struct):
    """What the service knows of a label or an attribute: its key, and the keys of what is below it."""

    ref: str
    color: str = ""
    texts: dict[str, Any] = {}


def labels_of(records: Iterable[Record]) -> dict[str, dict[str, list[str]]]:
    """Label, attribute name, distinct values, in order of first appearance."""
    found: dict[str, dict[str, list[str]]] = {}
    for record in records:
        for annotation in record.annotations:
            attributes = found.setdefault(annotation.label, {})
            for name, values in annotation.attributes.items():
                known = attributes.setdefault(name, [])
                known += [text for text in dict.fromkeys(value.value for value in values) if text not in known]
    return found


def element(record: Record, address: Address, run: Run, labels: Mapping[str, Reference]) -> dict[str, Any]:
    """One image. All its labels, attributes and values are in `labels`."""
    name = record.image
    created = _time(run.stamp)
    return {
        "objectKey": address.prefix + name if address.target == "object_key" else None,
        "storagePath": name if address.target == "storage_path" else None,
        "bucketName": address.bucket if record.storage_name is None else record.storage_name,
        "jobId": address.job_id if address.target == "job" else None,
        "fileName": name if address.target == "job" else None,
        "data": {
            "annotationObjects": [
                {
                    **_points(annotation, Place(image=name, annotation=number)),
                    "id": _shape_id(repr((run.operation, name, number))),
                    "shapeId": number,
                    "createdAt": {"$date": created},
                    **_content(annotation, labels[annotation.label], human=run.human),
                }
                for number, annotation in enumerate(record.annotations, 1)
            ],
            "isUserAnnotated": False,
        },
    }


def missing(wanted: Mapping[str, Mapping[str, Sequence[str]]], known: Mapping[str, Reference]) -> list[str]:
    """What the service has no key for: labels, `label/attribute`, `label/attribute=value`."""
    return list(_missing(wanted, known))


def attribute(reference: Reference, name: str) -> Reference | None:
    """What the service knows of an attribute of a label."""
    try:
        return msgspec.convert(reference.texts[name], ready(Reference))
    except (KeyError, msgspec.ValidationError):
        return None


def _missing(wanted: Mapping[str, Mapping[str, Sequence[str]]], known: Mapping[str, Reference]) -> Iterator[str]:
    for label, attributes in wanted.items():
        if label not in known:
            yield label
            continue
        for name, values in attributes.items():
            reference = attribute(known[label], name)
            if reference is None:
                yield f"{label}/{name}"
                continue
            yield from (f"{label}/{name}={value}" for value in values if value not in reference.texts)


@lru_cache(maxsize=1)
def _time(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _shape_id(name: str) -> str:
    """`shape_` and what `uuid.uuid5` makes of the name; as an object it would cost more than all the rest."""
    digits = hashlib.sha1(_NAMESPACE.bytes + name.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"shape_{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _points(annotation: Annotation, place: Place) -> dict[str, Any]:
    if not isinstance(annotation, Rectangle):
        xy = annotation.xy
        return {"points": [[x, y] for x, y in zip(xy[::2], xy[1::2], strict=True)]}
    x, y, width, height = annotation.bbox
    right, bottom = x + width, y + height
    if not (isfinite(right) and isfinite(bottom)):
        message = f"the box {annotation.bbox} ends beyond all numbers"
        raise InvalidInput("no-json", message, place=place, hint="correct its size")
    return {
        "boxBoundariesAndDimensions": {"x": x, "y": y, "w": width, "h": height},
        "points": [[x, y], [right, y], [right, bottom], [x, bottom]],
    }


def _content(annotation: Annotation, label: Reference, *, human: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"type": type(annotation).__struct_config__.tag}
    if annotation.confidence is not None:
        out["confidence"] = annotation.confidence
    out["label"] = {
        "label": label.ref,
        "labelText": annotation.label,
        "metadata": {},
        "key": label.ref,
        "color": label.color,
        "attributeValues": _values(annotation, label, human=human),
    }
    out["metadata"] = annotation.metadata
    return out


def _values(annotation: Annotation, label: Reference, *, human: bool) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for name, values in annotation.attributes.items():
        reference = attribute(label, name)
        if reference is not None and values:
            out[reference.ref] = [_value(value, reference, human=human) for value in values]
    return out


def _value(value: Value, reference: Reference, *, human: bool) -> dict[str, Any]:
    """People are sure; a machine that does not say how sure it is, is not."""
    confidence = 1 if human else value.confidence or 0
    out: dict[str, Any] = {"value": reference.texts[value.value], "confidence": confidence}
    if value.metadata is not None:
        out["metadata"] = value.metadata
    return {**out, **(value.extras or {})}
