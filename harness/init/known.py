"""What images and schemes of the field are known for: the ports on which they listen, and the words they speak.

Source: the EXPOSE lines of the official images, and IANA's registry of service names and port numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

POSTGRES_PORT = 5432
_IMAGE_PORTS: Mapping[str, int] = {
    "postgres": POSTGRES_PORT,
    "postgis": POSTGRES_PORT,
    "timescaledb": POSTGRES_PORT,
    "pgvector": POSTGRES_PORT,
    "mysql": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "valkey": 6379,
    "memcached": 11211,
    "mongo": 27017,
    "rabbitmq": 5672,
    "kafka": 9092,
    "nats": 4222,
    "nginx": 80,
    "httpd": 80,
    "traefik": 80,
    "minio": 9000,
    "elasticsearch": 9200,
    "opensearch": 9200,
    "clickhouse-server": 8123,
}
SCHEME_PORTS: Mapping[str, int] = {
    "http": 80,
    "https": 443,
    "postgres": POSTGRES_PORT,
    "postgresql": POSTGRES_PORT,
    "mysql": 3306,
    "redis": 6379,
    "amqp": 5672,
    "mongodb": 27017,
    "nats": 4222,
}
_HTTP_PORTS = frozenset({80, 3000, 5000, 8000, 8080, 8123, 9200})
_TWS_PORTS = frozenset({4002, 7497})


def image_port(image: str | None) -> int | None:
    """The port on which an image is known to listen, by the last part of its name: ``registry/x/postgres:18``."""
    name = re.split(r"[:@]", (image or "").rpartition("/")[2])[0]
    return _IMAGE_PORTS.get(name)


def protocol(scheme: str | None, port: int) -> str | None:
    """In which protocol a port may be greeted: http, postgres or tws; None where only connecting is known."""
    base = (scheme or "").partition("+")[0]
    if base in ("postgres", "postgresql") or port == POSTGRES_PORT:
        return "postgres"
    if base == "http" or (not base and port in _HTTP_PORTS):
        return "http"
    return "tws" if port in _TWS_PORTS else None
