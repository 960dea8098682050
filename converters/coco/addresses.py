"""What the address of a picture says."""

from __future__ import annotations

from typing import Any

from ..images import is_image_name


def name_from_url(image: dict[str, Any]) -> str | None:
    """LVIS names its pictures by address only."""
    url = image.get("coco_url")
    name = url.rpartition("/")[2] if isinstance(url, str) else ""
    return name if is_image_name(name) else None
