"""The PostgreSQL server that tests use: embedded, the developer's own, or a container."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coravet.adapters.local.postgres import EmbeddedPostgres

IMAGE = "postgres:18-alpine"


def chosen_server() -> Iterator[str]:
    """Yield the superuser's URL: of DATABASE_URL's server, of a container's, or of an embedded one's."""
    own, kind = os.environ.get("DATABASE_URL"), os.environ.get("CORAVET_TEST_POSTGRES", "embedded")
    if own:
        yield own
    elif kind == "embedded":
        with _embedded() as url:
            yield url
    elif kind == "container":
        with _container() as url:
            yield url
    else:
        pytest.exit(f"CORAVET_TEST_POSTGRES is {kind!r}; it may be embedded or container.", returncode=4)


@contextmanager
def _embedded() -> Iterator[str]:
    # Not pytest's tmp_path: a socket's path may have 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="coravet-", ignore_cleanup_errors=True) as folder,
        EmbeddedPostgres(Path(folder), durable=False) as server,
    ):
        yield server.url()


@contextmanager
def _container() -> Iterator[str]:
    import docker  # noqa: PLC0415 # slow to import, and seldom chosen
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 # as docker

    try:
        docker.from_env().ping()
    except docker.errors.DockerException:
        pytest.exit(
            "CORAVET_TEST_POSTGRES=container, but no Docker engine answers; start one, or unset the variable "
            "for the embedded server.",
            returncode=4,
        )
    with PostgresContainer(IMAGE, driver=None) as container:
        yield container.get_connection_url()
