"""B11: no name, nobody there, a proxy that wants to know us, and servers that are not who they should be."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
import trustme

from annolake.metalake_io.errors import NetworkGaveUp
from annolake.metalake_io.transfer.exchange import Fault
from annolake.metalake_io.transfer.policy import Policy
from annolake.metalake_io.transfer.sockets import Sockets

from ..metalake_io.clock import FakeClock
from ..metalake_io.script import request
from ..metalake_io.wire import closed_port
from . import actions as act
from .conftest import Connect
from .faultd import Faultd
from .journeys import Journey

PAST = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    """The file of our own authority."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


class OfItself:
    """A certificate that nobody has signed but its owner."""

    def __init__(self, owner: trustme.CA) -> None:
        self._owner = owner

    def configure_cert(self, context: ssl.SSLContext) -> None:
        with NamedTemporaryFile(suffix=".pem") as file:
            file.write(self._owner.private_key_pem.bytes() + self._owner.cert_pem.bytes())
            file.flush()
            context.load_cert_chain(file.name)


Serve = Callable[[trustme.LeafCert | OfItself], Faultd]


@pytest.fixture
def serve() -> Iterator[Serve]:
    rigs: list[Faultd] = []

    def with_certificate(certificate: trustme.LeafCert | OfItself) -> Faultd:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        rigs.append(Faultd(tls=context))
        return rigs[-1]

    yield with_certificate
    for rig in rigs:
        rig.close()


def test_b11_a_server_that_we_trust(
    authority: trustme.CA, trusted: str, serve: Serve, tmp_path: Path, connected: Connect
) -> None:
    rig = serve(authority.issue_cert("127.0.0.1"))
    journey = Journey(rig, tmp_path, lambda: connected(rig.url, ca=trusted), "files", count=3)
    report = journey.run()
    assert journey.verdict(report).clean


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("self-signed", "self-signed certificate"),
        ("expired", "certificate has expired"),
        ("wrong host", "IP address mismatch, certificate is not valid for"),
    ],
    ids=["B11[self-signed]", "B11[expired]", "B11[wrong host]"],
)
def test_b11_no_trust(
    case: str, said: str, authority: trustme.CA, trusted: str, serve: Serve, connected: Connect, clock: FakeClock
) -> None:
    """Asked once, the cause named, and no way around it."""
    certificates = {
        "self-signed": lambda: OfItself(trustme.CA()),
        "expired": lambda: authority.issue_cert("127.0.0.1", not_after=PAST),
        "wrong host": lambda: authority.issue_cert("other.example.com"),
    }
    rig = serve(certificates[case]())
    with pytest.raises(NetworkGaveUp) as caught:
        connected(rig.url, ca=trusted, policy=Policy())
    assert (caught.value.attempts, caught.value.exit_code, clock.passed) == (1, 8, 0.0)
    assert f"no trusted connection: {said}" in str(caught.value)
    assert "certificate" in (caught.value.hint or "")
    assert rig.log == []


def test_b11_no_downgrade(
    authority: trustme.CA, trusted: str, serve: Serve, tmp_path: Path, rig: Faultd, connected: Connect
) -> None:
    """A redirect from https to http is not followed, be it with our key or with a signed address."""
    secure = serve(authority.issue_cert("127.0.0.1"))
    for operation in ("item-page", "get-file"):
        secure.rule(operation, act.redirect(rig.url + "/plain"))
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        journey = Journey(secure, folder, lambda: connected(secure.url, ca=trusted, policy=Policy()), "download")
        said: Any
        try:
            said = journey.run().of("failed")[0].reason
        except NetworkGaveUp as error:
            said = str(error)
        assert "a redirect away from a trusted connection" in said
    assert rig.log == []


@pytest.mark.parametrize("cause", [pytest.param(one, id=f"B11[{one}]") for one in ("name", "refused")])
def test_b11_nobody_there(
    cause: str, tmp_path: Path, rig: Faultd, connected: Connect, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told at once by the first call; tried again until the deadline where the service had answered before."""
    client = connected(policy=Policy(), at_once=1)
    rig.down()
    if cause == "name":

        def resolve(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
    said = {"name": "the server's name is not known", "refused": "no connection to the server"}[cause]
    with pytest.raises(NetworkGaveUp, match=f"{said}; given up, nothing answers there") as caught:
        connected(policy=Policy())
    assert (caught.value.attempts, clock.passed) == (1, 0.0)
    journey = Journey(rig, tmp_path, lambda: client, "files")
    with pytest.raises(NetworkGaveUp, match=f"{said}; given up, nobody has had a proper answer for 900 s") as caught:
        journey.run()
    assert 900 <= clock.passed <= 910
    assert caught.value.attempts > 100 and not caught.value.uncertain


@pytest.mark.parametrize("status", [pytest.param(one, id=f"B11[proxy {one}]") for one in (407, 403)])
def test_b11_a_proxy_that_refuses(status: int, connected: Connect, clock: FakeClock) -> None:
    """Its refusal is told, and nothing is tried again: it will not change its mind."""
    with Faultd() as proxy:
        proxy.weather = lambda _: act.answer(status, "")
        with pytest.raises(NetworkGaveUp, match=f"the proxy refuses \\({status}") as caught:
            connected("https://annolake.example.com", proxies={"https": proxy.url}, policy=Policy())
        assert [one.method for one in proxy.log] == ["CONNECT"]
        assert proxy.log[0].authorization is None
    assert (caught.value.attempts, clock.passed) == (1, 0.0)


def test_b11_a_proxy_that_is_not_there() -> None:
    sockets = Sockets(proxies={"https": f"http://127.0.0.1:{closed_port()}"})
    with pytest.raises(Fault) as caught:
        sockets.send(request(url="https://annolake.example.com/"))
    assert (caught.value.cause, caught.value.lasting, caught.value.sent) == ("refused", False, False)
    assert "the proxy" in caught.value.message
