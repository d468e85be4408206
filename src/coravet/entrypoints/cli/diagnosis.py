"""What works and what does not, part by part."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import sqlalchemy as sa

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.migrate import head, stands_at
from coravet.bootstrap import (
    UnsafeRole,
    make_apart,
    make_converter,
    make_fanout,
    make_identity,
    make_mail,
    make_store,
    make_works,
    refuse_drift,
    refuse_unsafe_role,
)
from coravet.core.kernel.actor import NO_CLINIC
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import DomainError, Unavailable
from coravet.core.legal.documents import DOCUMENTS
from coravet.core.legal.drift import LegalDrift
from coravet.core.media.keys import clinic_prefix, part_key
from coravet.core.messaging.ports import NotDelivered
from coravet.core.privacy.replay import undone
from coravet.settings import Settings

LONGEST_WAIT = 600  # seconds
JOBS = """
SELECT count(*) FILTER (WHERE status <> 'failed') AS waiting, count(*) FILTER (WHERE status = 'failed') AS failed,
       coalesce(extract(epoch FROM now() - min(
           CASE status WHEN 'queued' THEN execute_after WHEN 'picked' THEN heartbeat END)), 0)::int AS silent
FROM jobs.pgqueuer
"""

PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==")
"""The smallest GIF: one black pixel."""


@dataclass(frozen=True)
class Finding:
    """What the doctor found about one part; `sentence` says it to a person."""

    part: str
    ok: bool
    sentence: str


def diagnose(settings: Settings) -> list[Finding]:
    """What works and what does not, part by part; changes nothing."""
    return asyncio.run(_diagnose(settings))


async def _diagnose(settings: Settings) -> list[Finding]:
    return [await _try(part, check(settings)) for part, check in CHECKS.items()]


async def _try(part: str, check: Awaitable[str]) -> Finding:
    try:
        return Finding(part, ok=True, sentence=await check)
    except Wrong as wrong:
        return Finding(part, ok=False, sentence=str(wrong))
    except Exception as error:  # noqa: BLE001 -- whatever keeps a part from working is what is asked for
        return Finding(part, ok=False, sentence=f"It does not answer ({type(error).__name__}).")


class Wrong(Exception):
    """A part works, but not as it must; the message says what to do."""


async def _check_database(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        async with engine.connect() as connection:
            version = (await connection.execute(sa.text("SHOW server_version"))).scalar_one()
    finally:
        await engine.dispose()
    return f"PostgreSQL {version} answers."


async def _check_roles(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        await refuse_unsafe_role(engine)
        async with make_works(settings, engine).system_begin("doctor") as work:
            [row] = await work.fetch("SELECT current_user AS name")
    except UnsafeRole as error:
        raise Wrong(str(error)) from error
    finally:
        await engine.dispose()
    return f"The application's role is bound by row-level security and may act as {row['name']}."


async def _check_migrations(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        async with engine.connect() as connection:
            stands = await connection.run_sync(stands_at)
    finally:
        await engine.dispose()
    if stands != head():
        raise Wrong(f"The schema stands at {stands or 'nothing'}, not at {head()}: run `coravet migrate`.")
    return f"The schema stands at {stands}, the newest."


async def _check_fanout(settings: Settings) -> str:
    fanout = make_fanout(settings)
    try:
        await fanout.check()
    except Unavailable as error:
        raise Wrong(
            f"{fanout.server} carries no events to other processes ({type(error.__cause__).__name__}): "
            + (
                "set DATABASE_DIRECT_URL to a connection past the pooler."
                if settings.fanout is None
                else "check CORAVET_FANOUT, its user and password, and whether that user may publish and subscribe to "
                "coravet.live.*."
            )
        ) from error
    return f"Events reach other processes by {fanout.server}."


async def _check_jobs(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        async with make_works(settings, engine).system_begin("doctor") as work:
            [found] = await work.fetch(JOBS)
    finally:
        await engine.dispose()
    if found["silent"] > LONGEST_WAIT:
        raise Wrong(f"Jobs have been due for {found['silent'] // 60} minutes: start `coravet worker`, or another one.")
    failed = f"; {found['failed']} failed for good, see docs/operations.md" if found["failed"] else ""
    return f"Jobs that wait or are being done: {found['waiting']}{failed}."


async def _check_firebase(settings: Settings) -> str:
    identity = make_identity(settings, SystemClock())
    try:
        await identity.standing(["coravet-doctor"])
    finally:
        await identity.aclose()
    where = settings.firebase_auth_emulator_host or "Firebase"
    return f"Project {settings.firebase_project_id} answers at {where}."


async def _check_mail(settings: Settings) -> str:
    mail = make_mail(settings, SystemClock())
    if mail is None:
        return "No mail server is set (CORAVET_SMTP_URL): mails to clients are skipped."
    try:
        await mail.check()
    except NotDelivered as error:
        raise Wrong(f"The mail server does not take mails ({error.why}): check CORAVET_SMTP_URL.") from error
    return "The mail server answers."


async def _check_whatsapp(settings: Settings) -> str:
    if settings.whatsapp_phone_number_id is None:
        return "No business account is set: messages wait for somebody to send them from their own WhatsApp."
    return "Messages go through the Cloud API; whether it takes them shows when one is sent."


async def _check_apart(settings: Settings) -> str:
    try:
        await asyncio.to_thread(make_apart(settings).check)
    except OSError as error:
        raise Wrong(
            f"{settings.kept_apart} cannot be written ({error.strerror or error}): erasures fail. "
            "Mount what CORAVET_KEPT_APART names, and let the service write there."
        ) from error
    return f"What must outlive the database is kept in {settings.kept_apart}."


async def _check_legal(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        works = make_works(settings, engine)
        await refuse_drift(works, settings)
        async with works.system_begin("doctor") as work:
            texts = [each.text for each in await work.publishing.stored() if each.text.in_force]
    except LegalDrift as error:
        raise Wrong(f"The service will not start: {error}") from error
    finally:
        await engine.dispose()
    missing = sorted(set(DOCUMENTS) - {text.slug for text in texts})
    if missing:
        sentence = (
            f"Never published: {', '.join(missing)}. Publish them as docs/legal.md says; guests need portal-terms."
        )
        if settings.environment == "production":
            raise Wrong(sentence)
        return sentence
    in_force = sorted({f"{text.slug} {text.version}" for text in texts})
    return f"In force, and as the files say: {', '.join(in_force)}."


async def _check_register(settings: Settings) -> str:
    engine = make_engine(settings)
    try:
        lacking = await undone(make_works(settings, engine).system_begin, make_apart(settings))
    finally:
        await engine.dispose()
    if lacking:
        raise Wrong(
            f"The register that is kept apart has {lacking} people or clinics whom this database should not have any "
            "more, as after a backup was restored: run `coravet privacy replay` before anybody uses it."
        )
    return "Whoever was erased or left is so in this database."


async def _check_storage(settings: Settings) -> str:
    store = make_store(settings)
    trial = part_key(NO_CLINIC, uuid4())
    try:
        await store.put(trial, b"", 0, "application/octet-stream")
        found = [each.key async for each in store.under(clinic_prefix(NO_CLINIC))]
        await store.delete([trial])
    except Unavailable as error:
        raise Wrong(
            f"{settings.storage} takes no photos and files ({type(error.__cause__).__name__}): "
            + (
                "check CORAVET_STORAGE, and whether its key may read, write, list and delete there."
                if "://" in settings.storage
                else "mount what CORAVET_STORAGE names, and let the service write there."
            )
        ) from error
    if trial not in found:
        raise Wrong(f"{settings.storage} does not list what is stored there: its key may not list, or it is no store.")
    return f"Photos and files lie in {settings.storage}."


async def _check_pictures(settings: Settings) -> str:
    converter = make_converter(settings)
    try:
        with TemporaryDirectory(prefix="coravet-") as folder:
            upload = Path(folder, "upload")
            await asyncio.to_thread(upload.write_bytes, PICTURE)
            await converter.convert(upload)
    except DomainError as error:
        raise Wrong(
            f"The smallest picture cannot be converted ({error.code}): helpers cannot start, or not within "
            f"CORAVET_PICTURE_MEGABYTES ({settings.picture_megabytes})."
        ) from error
    finally:
        await converter.aclose()
    return f"Pictures are converted, each with {settings.picture_megabytes} MB at most."


CHECKS: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "database": _check_database,
    "roles": _check_roles,
    "migrations": _check_migrations,
    "fanout": _check_fanout,
    "jobs": _check_jobs,
    "firebase": _check_firebase,
    "mail": _check_mail,
    "whatsapp": _check_whatsapp,
    "apart": _check_apart,
    "legal": _check_legal,
    "register": _check_register,
    "storage": _check_storage,
    "pictures": _check_pictures,
}
