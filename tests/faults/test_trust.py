"""Whom we trust: our key is for the service alone (G2), certificates are checked (G3), and encryption stays (G4)."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.metalake_io.collection_upload import AnnotationData
from annolake.metalake_io.errors import NetworkGaveUp, NotAuthorised, ServiceRefused
from annolake.schemas.errors import UsageError

from . import actions as act
from .desk import Connect
from .faultd import Faultd
from .lake import AUTHORIZATION, KEY, SECRET
from .oracle import Inputs, check
from .typed import PICTURES, Typed, drawn

CERTIFICATES = Path(__file__).with_name("certificates")
CA = str(CERTIFICATES / "ca.pem")
DATA = AnnotationData.of({"json_data_file_path": "lake.json", "operation_unique_id": "op"})


def trusted(name: str) -> ssl.SSLContext:
    """What a server with this certificate speaks with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{name}.pem")
    return context


@pytest.fixture
def elsewhere(rig: Faultd) -> Iterator[Faultd]:
    """Another server with the same files, to which all signed addresses of the first lead."""
    with Faultd() as other:
        other.lake = rig.lake
        rig.lake.url = other.url
        yield other


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Faultd]:
    """A proxy that the environment names, and a netrc that knows the servers' host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password evil\ndefault login evil password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Faultd() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield proxy


def test_g2_the_key_goes_to_the_service_alone(
    rig: Faultd, elsewhere: Faultd, trap: Faultd, connected: Connect, typed: Typed, tmp_path: Path
) -> None:
    """Ours to the service, whatever the environment says; nothing to the storage, nor where a redirect leads."""
    client = connected()
    assert client.files.run(tmp_path / "pictures", "image", "Demo", annotation_data=DATA).is_success
    assert client.downloads.collection("c1", tmp_path / "out").complete
    assert check(rig.lake, drawn(tmp_path)).clean
    page = rig.asked("item-page")[-1].target
    rig.rule("item-page", act.redirect(elsewhere.url + page))
    rig.rule("get-file", act.redirect(rig.url + "/bucket/"))
    with pytest.raises(NotAuthorised, match="does not know this key"):
        client.downloads.collection("c1", tmp_path / "out")
    assert {one.authorization for one in rig.log} == {AUTHORIZATION}
    assert {one.authorization for one in elsewhere.log} == {None}
    assert {one.target.split("/")[1] for one in rig.log} == {"datalake"}
    assert len([one for one in elsewhere.log if one.method == "PUT"]) == len(PICTURES)
    assert trap.log == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("operation", ["create-collection", "put-part", "finalise", "annotation-batch"])
def test_g2_what_is_written_follows_nobody_elsewhere(
    rig: Faultd, connected: Connect, typed: Typed, tmp_path: Path, status: int, operation: str
) -> None:
    with Faultd() as other:
        rig.rule(operation, act.redirect(other.url + "/datalake/api/x", status), times=99)
        try:
            assert not connected().files.run(tmp_path / "pictures", "image", "Demo", annotation_data=DATA).is_success
        except (ServiceRefused, NetworkGaveUp) as error:
            assert "elsewhere" in error.message or "redirect" in error.message, error
        if operation == "put-part":
            assert len(rig.asked(operation)) == len(PICTURES), "it is asked once"
        assert other.log == []


def test_g3_a_certificate_of_an_authority_that_is_named(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    with Faultd(tls=trusted("good")) as rig:
        for words in (("--ca", CA), ()):
            done = typed("jobs", "wait", "j1", "--url", rig.url, *words)
            assert done.exit_code == 0, done.stderr
            monkeypatch.setenv("METALAKE_CA", CA)
        with MetaLakeClient(KEY, SECRET, rig.url, ca=CA) as client:
            assert client.jobs.wait("j1") == "COMPLETED"


@pytest.mark.parametrize(
    ("certificate", "words", "why"),
    [
        ("good", (), "unable to get local issuer certificate"),
        ("alone", ("--ca", CA), "self-signed certificate"),
        ("expired", ("--ca", CA), "certificate has expired"),
        ("elsewhere", ("--ca", CA), "IP address mismatch"),
    ],
)
def test_g3_certificates_that_prove_nothing(typed: Typed, certificate: str, words: tuple[str, ...], why: str) -> None:
    """One attempt, the reason, no way around; and only `--insecure` goes on, loudly."""
    with Faultd(tls=trusted(certificate)) as rig:
        done = typed("jobs", "wait", "j1", "--url", rig.url, *words)
        assert done.exit_code == 8
        assert why in done.stderr and "check the server's certificate" in done.stderr
        assert rig.log == []
        loud = typed("jobs", "wait", "j1", "--url", rig.url, "--insecure")
        assert loud.exit_code == 0, loud.stderr
        assert f"insecure: nobody checks who answers at {rig.url}; whoever is in between can read" in loud.stderr
        assert loud.stderr.count("InsecureRequestWarning") == 0


@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nx\n"])
def test_g3_an_authority_that_is_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="bad-certificates"):
        MetaLakeClient(KEY, SECRET, "https://lake.example", ca=str(path))


def test_g4_no_encryption_to_another_computer(
    rig: Faultd, typed: Typed, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **other: Any) -> Any:
        return real("127.0.0.1" if host == "lake.example" else host, *rest, **other)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = rig.url.replace("127.0.0.1", "lake.example")
    refused = typed("jobs", "wait", "j1", "--url", url)
    assert (refused.exit_code, "insecure-http" in refused.stderr, rig.log) == (2, True, [])
    with pytest.raises(UsageError, match="insecure-http"):
        connected(url)
    assert typed("jobs", "wait", "j1", "--url", url, "--insecure-http").exit_code == 0
    assert connected(rig.url.replace("127.0.0.1", "localhost")).jobs.wait("j1") == "COMPLETED"


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://127.0.0.1/x", "//127.0.0.1/x", "", "javascript:x"])
def test_g4_signed_addresses_that_are_none(
    rig: Faultd, connected: Connect, typed: Typed, tmp_path: Path, scheme: str
) -> None:
    rig.rule("presign", act.changed("/parts/0/signedUrl", scheme), times=99)
    report = connected().files.run(tmp_path / "pictures", "image", "Demo")
    assert {one.reason for one in report.items} == {"the signed address for the upload is not trustworthy"}
    rig.lake.add("Demo_a.png", b"a")
    rig.rule("item-page", act.changed("/data/resourceArray/0/fileUrl", scheme or "x"))
    (item,) = connected().downloads.collection("c1", tmp_path / "out").items
    assert (item.state, "its address is not trustworthy" in (item.reason or "")) == ("failed", True)


def test_g4_no_way_from_https_to_http(
    rig: Faultd, connected: Connect, typed: Typed, clock: Any, tmp_path: Path
) -> None:
    """Neither by a signed address nor by a redirect."""
    with Faultd(tls=trusted("good")) as safe:
        safe.lake = rig.lake
        rig.lake.url = rig.url
        client = connected(safe.url, ca=CA)
        report = client.files.run(tmp_path / "pictures", "image", "Demo")
        assert {one.reason for one in report.items} == {"the signed address for the upload is not trustworthy"}
        rig.lake.add("Demo_a.png", b"a")
        assert [one.state for one in client.downloads.collection("c1", tmp_path / "out").items] == ["failed"]
        rig.lake.url = safe.url
        safe.rule("item-page", act.redirect(rig.url + safe.asked("item-page")[-1].target))
        with pytest.raises(NetworkGaveUp, match="a redirect away from a trusted connection"):
            client.downloads.collection("c1", tmp_path / "out")
        assert rig.log == []
        assert client.files.run(tmp_path / "pictures", "image", "Demo").is_success
        assert check(rig.lake, Inputs({**drawn(tmp_path).files, "Demo_a.png": b"a"})).clean
        done = typed("upload", "files", "pictures", "--collection", "X", "--url", safe.url, "--ca", CA, "--json")
        assert json.loads(done.stdout)["summary"]["uploaded"] == len(PICTURES)
