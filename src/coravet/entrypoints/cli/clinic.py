"""`coravet clinic …`."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from coravet.core.tenancy.views import NewClinicView

app = typer.Typer(help="Clinics, the tenants.", no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _group() -> None:
    """Keep `create` a word of its own while it is the only command."""


@app.command()
def create(
    slug: Annotated[str, typer.Argument(help="The clinic's name in addresses, such as la-concordia.")],
    *,
    name: Annotated[str, typer.Option(help="The clinic's name as people read it.")],
    owner: Annotated[str, typer.Option(help="Mail address of the person who is invited as its first owner.")],
    time_zone: Annotated[str, typer.Option(help="IANA zone in which the clinic's days begin.")] = "America/Guayaquil",
) -> None:
    """Create a clinic and invite its first owner.

    Prints the invitation's token, which the owner hands in after signing in. It is shown this once: only its hash is
    stored.

    **Example**: `coravet clinic create la-concordia --name "Clínica La Concordia" --owner ana@example.com`
    """
    from coravet.entrypoints.cli.refusals import database_expected
    from coravet.settings import load

    settings = load()

    async def run() -> "NewClinicView":
        from coravet.bootstrap import services

        async with services(settings) as wired:
            return await wired.create_clinic(slug=slug, name=name, time_zone=time_zone, owner_email=owner)

    with database_expected():
        made = asyncio.run(run())
    print(f"{made.name} is at {settings.public_url}/api/v1/clinics/{made.slug}")
    if made.invitation is not None:
        print(f"Invitation of its first owner, until {made.invitation.expires_at:%Y-%m-%d}: {made.invitation.token}")
