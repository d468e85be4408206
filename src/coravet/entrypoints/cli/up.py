"""`coravet up`."""

import time
from pathlib import Path
from typing import Annotated

import typer


def up(
    port: Annotated[
        int, typer.Option(min=1, max=65534, help="Port of the API; the sign-in emulator takes the one after it.")
    ] = 8000,
    data: Annotated[Path, typer.Option(help="Folder that keeps everything; remove it to begin anew.")] = Path(
        ".coravet"
    ),
) -> None:
    """Start CoraVet on this machine: PostgreSQL, the Firebase Auth emulator, demo data, the API, the worker.

    Needs neither PostgreSQL nor Node nor Docker, and no settings. Everything listens on 127.0.0.1 or on a socket below
    the data folder, and Ctrl-C ends it all; what was entered is there at the next start.

    **Example**: `coravet up --port 9000 --data /srv/coravet-demo`
    """
    began = time.monotonic()
    # Before the imports, which take a second.
    print(f"Starting CoraVet with its data in {data.absolute()}", flush=True)
    from coravet.entrypoints.cli.local_service import run

    run(port, data.absolute(), began)
