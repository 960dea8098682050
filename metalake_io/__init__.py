"""The service: HTTP, storage, upload, download, the documented client and the sandbox.

`MetaLakeClient` is loaded, and requests with it, when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import MetaLakeClient

__all__ = ["MetaLakeClient"]


def __getattr__(name: str) -> object:
    if name == "MetaLakeClient":
        from .client import MetaLakeClient

        return MetaLakeClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
