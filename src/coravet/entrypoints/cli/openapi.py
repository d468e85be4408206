"""`coravet openapi`."""

from pathlib import Path
from typing import Annotated

import typer


def openapi(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it there instead of printing it.")
    ] = None,
) -> None:
    """Print the OpenAPI 3.1 document that the service answers at /api/v1/openapi.json.

    Needs no database and no settings.

    **Example**: `coravet openapi --output openapi.json`
    """
    import msgspec

    from coravet.bootstrap import application
    from coravet.entrypoints.cli.refusals import CommandError
    from coravet.settings import Settings

    # Of settings only the cookie's name is in the document, and no part is asked anything before the first request.
    settings = Settings.model_validate(
        {
            "CORAVET_ENV": "development",
            "DATABASE_URL": "postgresql://localhost/coravet",
            "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:1",
        }
    )
    document = msgspec.json.format(application(settings).litestar.state.openapi, indent=2).decode()
    if output is None:
        print(document)
        return
    try:
        output.write_text(document + "\n")
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
