"""The bottom layer: one requests.Session for each origin, and every failure in our own words.

Nothing is taken from the environment: no netrc, no proxies, no certificates that the caller did not name. Redirects
and retries are not its business. Exceptions of the HTTP libraries end here, for their texts hold signed addresses.
"""

from __future__ import annotations

import errno
import io
import logging
import re
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import requests
import urllib3

from ...schemas.errors import AnnolakeError, LocalFailure
from .bandwidth import Bandwidth
from .clock import Stopped, raise_if_stopped
from .connections import Adapter
from .exchange import Fault, Head, Request, Response, origin
from .redaction import without_query
from .unpacking import unpacked

LARGEST_REPLY = 256 << 20
"""Bytes of an answer that is read into memory: more is a defect of the server, or an attack."""

_CHUNK = 1 << 16
_USER_AGENT = "annolake"
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")


class _Session(requests.Session):
    """One that does not look where redirects lead: for that it would want to rewind our bodies."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class Sockets:
    """`connections` are kept open for each origin. `ca` is a file of certificates, None for the usual ones, which are
    asked about whoever answers, unless `insecure_tls`. `largest_reply`: bytes of an answer that comes in memory. All of
    them together keep to `bandwidth`.
    """

    def __init__(
        self,
        *,
        connections: int = 32,
        connect: float = 10.0,
        proxies: Mapping[str, str] | None = None,
        ca: str | None = None,
        insecure_tls: bool = False,
        largest_reply: int = LARGEST_REPLY,
        bandwidth: Bandwidth | None = None,
    ) -> None:
        self._connections = connections
        self._connect = connect
        self._proxies = dict(proxies or {})
        self._verify: str | bool = False if insecure_tls else ca or True
        self._largest_reply = largest_reply
        self._bandwidth = bandwidth
        self._sessions: dict[str, requests.Session] = {}
        self._lock = Lock()
        _quiet_urllib3()

    def send(self, request: Request) -> Response:
        if not request.fresh:
            return self._sent(request, self._session(origin(request.url)))
        with self._opened(1) as session:
            return self._sent(request, session)

    def close(self) -> None:
        """End all connections. The layer opens new ones if it is used again."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()

    def _sent(self, request: Request, session: requests.Session) -> Response:
        body = request.body.open() if request.body is not None else None
        problem: BaseException
        try:
            with session.request(
                request.method,
                request.url,
                headers={**request.headers, **(request.anew() if request.anew is not None else {})},
                data=body,
                timeout=request.idle,
                allow_redirects=False,
                stream=True,
            ) as reply:
                return self._response(reply, request)
        except (AnnolakeError, Fault, Stopped):
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            problem = _fault(error)
        raise problem  # out here it carries no trace of the library's exception

    def _session(self, where: str) -> requests.Session:
        with self._lock:
            session = self._sessions.get(where)
            if session is None:
                session = self._sessions[where] = self._opened(self._connections)
            return session

    def _opened(self, connections: int) -> requests.Session:
        session = _Session()
        session.trust_env = False
        session.proxies.update(self._proxies)
        session.verify = self._verify
        session.headers["User-Agent"] = _USER_AGENT
        adapter = Adapter(connections, self._connect, self._bandwidth)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _response(self, reply: requests.Response, request: Request) -> Response:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        content = b""
        if request.receive is not None and 200 <= reply.status_code < 300:
            plain = unpacked(_pieces(reply, decode=False), headers.get("content-encoding", ""))
            request.receive(Head(reply.status_code, headers), plain)
        else:
            content = self._content(reply)
        return Response(status=reply.status_code, headers=headers, content=content)

    def _content(self, reply: requests.Response) -> bytes:
        content = io.BytesIO()  # gives its bytes away without a second copy of them
        for piece in _pieces(reply, decode=True):
            if content.tell() + len(piece) > self._largest_reply:
                raise Fault("request", f"the answer has more than {self._largest_reply:,} bytes", sent=True)
            content.write(piece)
        return content.getvalue()


def _pieces(reply: requests.Response, *, decode: bool) -> Iterator[bytes]:
    for piece in reply.raw.stream(_CHUNK, decode_content=decode):
        raise_if_stopped()
        yield piece


def _fault(error: Exception) -> Fault | LocalFailure:
    """An exception of the libraries, or of the system below them, in our words; its own may hold secrets."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, OSError) and link.errno in (errno.EMFILE, errno.ENFILE):
            hint = "let fewer transfers run at once, or allow more open files (ulimit -n)"
            return LocalFailure("too-many-files", "too many files and connections are open", hint=hint)
    kinds = tuple(type(link) for link in chain)
    if _among(kinds, requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError):
        return Fault("request", "the address or a header cannot be sent", sent=False)
    if _among(kinds, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
        return Fault("request", "the address does not begin with http:// or https://", sent=False)
    if _among(kinds, urllib3.exceptions.SSLError, requests.exceptions.SSLError):
        reason = next(
            (str(getattr(link, "verify_message", "")) for link in chain if hasattr(link, "verify_message")), ""
        )
        return Fault("tls", f"no trusted connection{': ' + reason if reason else ''}", sent=False)
    if _among(kinds, urllib3.exceptions.ProxyError, requests.exceptions.ProxyError):
        return _proxy_fault(chain)
    if _among(kinds, urllib3.exceptions.NameResolutionError):
        return Fault("name", "the server's name is not known", sent=False)
    if _among(kinds, urllib3.exceptions.NewConnectionError):
        return Fault("refused", "no connection to the server", sent=False)
    if _among(kinds, urllib3.exceptions.ConnectTimeoutError, requests.ConnectTimeout):
        return Fault("timeout", "no connection in time", sent=False)
    if _among(kinds, urllib3.exceptions.IncompleteRead, urllib3.exceptions.DecodeError):
        return Fault("truncated", "the answer broke off", sent=True)
    if _among(kinds, requests.exceptions.ContentDecodingError, urllib3.exceptions.InvalidChunkLength):
        return Fault("truncated", "the answer broke off", sent=True)
    if _among(kinds, urllib3.exceptions.TimeoutError, requests.Timeout, TimeoutError):
        return Fault("timeout", "no answer in time", sent=True)
    return Fault("reset", "the connection broke", sent=True)


def _proxy_fault(chain: list[BaseException]) -> Fault:
    """A proxy that refuses will not change its mind; one that is not there, or finds no way, may."""
    found = next(filter(None, (_TUNNEL.search(str(link)) for link in chain if isinstance(link, OSError))), None)
    if found is None:
        return Fault("refused", "no connection to the proxy", sent=False)
    if found[1].startswith("4"):
        return Fault("proxy", f"the proxy refuses ({found[1]})", sent=False)
    return Fault("refused", f"the proxy finds no way ({found[1]})", sent=False)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it wraps, and what it was raised from."""
    seen: list[int] = []
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.append(id(link))
            yield link
            waiting += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]


def _among(kinds: tuple[type, ...], *wanted: type) -> bool:
    return any(issubclass(kind, wanted) for kind in kinds)


class _WithoutQuery(logging.Filter):
    """urllib3 writes whole addresses into its debug log; signatures have no business there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_query(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


_FILTER = _WithoutQuery()


def _quiet_urllib3() -> None:
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)
