"""`coravet clinic …`."""

import asyncio
import os
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from coravet.bootstrap import Services
    from coravet.core.privacy.leaving_ports import Departure
    from coravet.core.tenancy.views import NewClinicView

app = typer.Typer(help="Clinics, the tenants.", no_args_is_help=True, rich_markup_mode="markdown")


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


@app.command()
def leave(
    slug: Annotated[str, typer.Argument(help="The clinic's name in addresses, such as la-concordia.")],
    *,
    export: Annotated[Path, typer.Option(help="The ZIP file to hand to the clinic; it must not exist.")],
    reason: Annotated[str, typer.Option(help="Why the clinic leaves; it is kept.")],
    yes: Annotated[str | None, typer.Option(help="The clinic's name once more, instead of being asked.")] = None,
) -> None:
    """Hand a clinic everything that is its own, delete it here for good, and print the certificate.

    The clinic is closed at once and its screens end. If handing over fails, it is opened again; once all was handed
    over there is no way back. Interrupted later, the same command goes on where it was, and once all is done it prints
    the certificate again.

    **Example**: `coravet clinic leave la-concordia --export la-concordia.zip --reason "they close on 31 January"`
    """
    from coravet.entrypoints.cli.refusals import CommandError, database_expected
    from coravet.settings import load

    settings = load()
    if yes is None:
        yes = typer.prompt(f"Everything of {slug} will be deleted for good. Type its name once more")
    if yes != slug:
        raise CommandError(f"{yes} is not {slug}: nothing was done.")

    async def run() -> str:
        from coravet.bootstrap import services
        from coravet.core.privacy.departures import close_clinic, delete_clinic, reopen_clinic

        async with services(settings) as wired:
            departure = await _found(close_clinic(slug, reason, wired.system_begin, wired.clock), slug)
            if departure.certificate is not None:
                return departure.certificate
            if departure.handed is None:
                try:
                    departure = await _hand_over(wired, departure, export)
                except BaseException:
                    # Not where the hand-over was committed and only its answer was lost.
                    await reopen_clinic(departure, wired.system_begin)
                    raise
                print(f"Everything of {slug} is in {export}. It is deleted here now.", flush=True)

            def done(table: str, rows: int) -> None:
                print(f"  {table}: {rows}", flush=True)

            return await delete_clinic(departure, wired.system_begin, wired.clock, wired.apart, done)

    with database_expected():
        certificate = asyncio.run(run())
    print(certificate)


async def _found(closing: "Coroutine[object, object, Departure]", slug: str) -> "Departure":
    from coravet.core.kernel.errors import NotFound
    from coravet.entrypoints.cli.refusals import CommandError

    try:
        return await closing
    except NotFound as error:
        raise CommandError(f"No clinic has the address {slug}.") from error


async def _hand_over(wired: "Services", departure: "Departure", file: Path) -> "Departure":
    """Write the archive, read it again, and note that it is all there."""
    from coravet.core.exchange.export import NotWhole, export
    from coravet.core.kernel.actor import Actor
    from coravet.core.kernel.errors import Invalid
    from coravet.core.privacy.departures import hand_over
    from coravet.entrypoints.cli.refusals import CommandError

    if await asyncio.to_thread(file.exists):
        raise CommandError(f"{file} exists already. Choose another name.")
    actor = Actor(clinic_id=departure.clinic_id, time_zone=departure.time_zone, user_id=None)
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as stream:
            async for chunk in export(actor, wired.begin, wired.clock, wired.archiver, wired.store):
                await asyncio.to_thread(stream.write, chunk)
            stream.flush()
            await asyncio.to_thread(os.fsync, stream.fileno())
        manifest = await wired.verify_archive(part)
        with part.open("rb") as stream:
            archive = (await asyncio.to_thread(file_digest, stream, "sha256")).hexdigest(), stream.tell()
    except BaseException as error:
        # What was written so far is no archive.
        await asyncio.to_thread(part.unlink, missing_ok=True)
        if isinstance(error, NotWhole):
            raise CommandError(f"{error} in the archive is not what was written. Repeat the command.") from error
        raise
    await asyncio.to_thread(part.rename, file)
    try:
        return await hand_over(departure, manifest, archive, wired.system_begin)
    except Invalid:
        await asyncio.to_thread(file.unlink)
        raise
    # After any other error nobody knows whether it was noted; then this is the one archive there is.
