"""One file from a signed address to the disk: into a part beside its place, its length and hash checked, then renamed.

Nothing with wrong bytes ever stands under the final name. A file that is there already is offered to the storage by its
MD5 (`If-None-Match`), and compared with what the storage tells of its own.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Lock

import msgspec

from ..converters.files import local_failure
from ..schemas.errors import LocalFailure
from .addresses import Urls
from .errors import NetworkGaveUp, ServiceRefused
from .landing import WORTH, Landing, Wanted
from .partfiles import Leftovers, sync_folder
from .present import Present
from .results import Item, Verified
from .service import Service
from .transfer.bodies import Moved
from .transfer.clock import raise_if_stopped
from .transfer.exchange import Request, Response, may_be_asked
from .transfer.stack import STORAGE_IDLE


class Fetcher:
    """Fetches files through the layers of `service`. `idle`: seconds without a byte, `moved` hears of bytes.

    A context manager: at its end the folders are made safe against power cuts, and where all went well, what earlier
    runs left of other files is removed.
    """

    def __init__(self, service: Service, *, idle: float = STORAGE_IDLE, moved: Moved | None = None) -> None:
        self._service = service
        self._idle = idle
        self._moved = moved
        self._urls = Urls(service)
        self._leftovers = Leftovers()
        self._folders: set[Path] = set()
        self._lock = Lock()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with suppress(LocalFailure):
                self._sync()
            return
        self._sync()
        self._leftovers.sweep()

    def fetch(self, wanted: Wanted) -> Item:
        """The file, downloaded or left as it is because it is the same. ServiceRefused, NetworkGaveUp, LocalFailure."""
        url = self._checked(wanted)
        present = Present(wanted.path, wanted.size)
        landing = Landing(wanted, self._leftovers.take(wanted.path), present, self._moved)
        resumed = landing.resumed
        try:
            response = self._send(url, wanted, landing)
            if response.status == 304 and present.md5:
                landing.discard()
                return Item(name=wanted.name, state="skipped", reason="the same file is there", verified_by="md5")
            if not 200 <= response.status < 300:
                raise _refused(wanted, response)
            if landing.same is not None:
                return _skipped(wanted, response, landing.same, present.size)
            raise_if_stopped()  # the report may be made already, where the disk was slow
            landing.settle()
        except BaseException as error:
            landing.leave(useful=_may_go_on(error))
            raise
        with self._lock:
            self._folders.add(wanted.path.parent)
        reasons = ["it replaced another file of this name"] if present.there else []
        if resumed and landing.resumed:
            reasons.append(f"{resumed:,} bytes of an earlier run were kept")
        return Item(
            name=wanted.name,
            state="downloaded",
            reason="; ".join(reasons) or None,
            attempts=response.attempts,
            status=response.status,
            verified_by=landing.verified,
            size=landing.size,
        )

    def _send(self, url: str, wanted: Wanted, landing: Landing) -> Response:
        """The answer to the last attempt. Where the network gives up but much has come since, it is not given up. For
        an address that has expired a new one is asked for: once, and again whenever more has come since.
        """
        attempts, most, renewed = 0, landing.size, -1
        while True:
            try:
                response = self._service.layers.send(
                    Request(
                        method="GET",
                        url=url,
                        operation=f"download {wanted.name!r}",
                        headers={"Accept-Encoding": "identity"},
                        anew=landing.ask,
                        idle=self._idle,
                        receive=landing.receive,
                    )
                )
            except NetworkGaveUp as error:
                attempts = error.attempts = attempts + error.attempts
                error.uncertain = False  # what was not saved is not there, whatever the server did
                if not landing.going_on or landing.size - most < WORTH:
                    raise
                most = landing.size
                continue
            attempts += response.attempts
            if response.status == 416 and landing.going_on:
                landing.take_whole()
                continue
            fresh = self._fresh(wanted) if _may_have_expired(response) and landing.size > renewed else None
            if fresh is None:
                return msgspec.structs.replace(response, attempts=attempts)
            url, renewed = fresh, landing.size

    def _fresh(self, wanted: Wanted) -> str | None:
        """A new address, if the service has one."""
        try:
            return self._urls.url(wanted.name)
        except ServiceRefused:
            return None

    def _checked(self, wanted: Wanted) -> str:
        if not may_be_asked(wanted.url, https_only=self._service.base_url.startswith("https:")):
            raise ServiceRefused("unsafe-address", f"download {wanted.name!r}: its address is not trustworthy")
        return wanted.url

    def _sync(self) -> None:
        with self._lock:
            folders, self._folders = self._folders, set()
        for folder in folders:
            try:
                sync_folder(folder)
            except OSError as error:
                raise local_failure(error, folder) from None


def _may_have_expired(response: Response) -> bool:
    """S3 and Azure refuse an expired address as they refuse any; Google has a word for it."""
    return response.status in (401, 403) or (response.status == 400 and b"ExpiredToken" in response.content)


def _refused(wanted: Wanted, response: Response) -> ServiceRefused:
    return ServiceRefused(
        "download-refused",
        f"download {wanted.name!r}: the storage answers {response.status}",
        hint="its address may have expired: run it again" if _may_have_expired(response) else None,
    ).after(response)


def _skipped(wanted: Wanted, response: Response, verified: Verified, size: int) -> Item:
    reason = "the same file is there" if verified != "size" else "a file of this size is there; no hash is told"
    return Item(
        name=wanted.name,
        state="skipped",
        reason=reason,
        attempts=response.attempts,
        verified_by=verified,
        size=size,
    )


def _may_go_on(error: BaseException) -> bool:
    """Whether a later run may find the rest of what has come: not where the disk is full, or the file is gone."""
    if isinstance(error, ServiceRefused):
        return error.status in (401, 403)
    return not isinstance(error, LocalFailure)
