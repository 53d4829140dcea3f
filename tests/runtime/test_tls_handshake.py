"""Over TLS a fault acts behind the handshake, in both versions that are in use."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.latency import Latency
from harness.history.events import ProbeOutcome
from harness.runtime.local.toxiproxy_server import LocalPlace
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.link_probe import GREETINGS
from harness.runtime.toxiproxy.link_proxy import LinkProxy

pytestmark = pytest.mark.anyio


def identity(home: Path) -> Path:
    """A key and a certificate for it, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = home / "identity.pem"
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def link(
    request: pytest.FixtureRequest, session: Session, toxiproxy_server: Path, tmp_path: Path
) -> AsyncIterator[LinkProxy]:
    """A link to a server that speaks one version of TLS, and gives back what it gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity(tmp_path))
    context.minimum_version = context.maximum_version = request.param

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while said := await reader.read(65536):
                writer.write(said)
        writer.transport.abort()

    ports = session.ports
    upstream = ports.take()
    server = await asyncio.start_server(serve, "127.0.0.1", upstream, ssl=context)
    place = LocalPlace(
        "a -> b:1", ports.take(), ports.take(), ("127.0.0.1", upstream), toxiproxy_server, session, "tls"
    )
    proxy = LinkProxy(place.link, ("127.0.0.1", place.listen_port), place.start, log=session.directory / "a.log")
    await proxy.start()
    yield proxy
    await proxy.close()
    server.close()


async def connect(link: LinkProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose handshake is over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection(*link.address, ssl=context)


async def test_latency_is_behind_the_handshake(link: LinkProxy) -> None:
    """A connection comes about as soon as ever, and its first answer is late."""
    await link.add_toxic(Latency(delay_ms=400).told_witness("tls"))
    began_s = time.monotonic()
    reader, writer = await connect(link)
    assert time.monotonic() - began_s < 0.4
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    assert time.monotonic() - began_s >= 0.4
    writer.transport.abort()


async def test_answer_is_lost_behind_the_handshake(link: LinkProxy) -> None:
    """A connection comes about, and is reset in the place of its first answer."""
    await link.add_toxic(AnswerLost().told_witness("tls"))
    reader, writer = await connect(link)
    writer.write(b"hello")
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(5)
    writer.transport.abort()


async def test_probe_of_tls_is_answered(link: LinkProxy) -> None:
    """The harness greets as a client of TLS does, and is answered."""
    assert (await link.probe(GREETINGS["tls"])).outcome is ProbeOutcome.ANSWERED
