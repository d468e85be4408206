"""The only composition root: settings in, a wired application out."""

import asyncio
import gc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePath
from zipfile import BadZipFile

import msgspec
import sqlalchemy as sa
import structlog
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from litestar import Litestar
from litestar.types import ASGIApp
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine

from coravet.adapters.apart.folder import FolderApart
from coravet.adapters.archives.zipped import ZipWriter, read
from coravet.adapters.calendars.holidays import EcuadorHolidays
from coravet.adapters.calendars.ical import ICalendarWriter
from coravet.adapters.fanout.kept import KeptFanout
from coravet.adapters.fanout.nats import NatsChannel
from coravet.adapters.fanout.postgres import PostgresChannel
from coravet.adapters.fanout.redis import RedisChannel
from coravet.adapters.firebase.cached import CachedIdentity
from coravet.adapters.firebase.identity import FirebaseIdentity
from coravet.adapters.jobs.queue import PgqueuerQueue
from coravet.adapters.letters.notices import BilingualNotices
from coravet.adapters.letters.writer import BilingualWriter
from coravet.adapters.limits.limiter import Limiter
from coravet.adapters.mail.smtp import SmtpMessenger
from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.adapters.pdf.writer import TypstWriter
from coravet.adapters.postgres.constraints import domain_error
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.housekeeping import prune
from coravet.adapters.postgres.legal.store import PostgresGate
from coravet.adapters.postgres.limits import PostgresHits
from coravet.adapters.postgres.live.journal import PostgresJournal
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.privacy.columns import stored_columns
from coravet.adapters.postgres.privacy.withheld import let_go
from coravet.adapters.postgres.queued import queued
from coravet.adapters.postgres.tenancy.store import PostgresDirectory
from coravet.adapters.postgres.work import Works
from coravet.adapters.storage.bucket import BucketStore
from coravet.adapters.storage.folder import FolderStore
from coravet.adapters.telemetry import logs, sentry
from coravet.adapters.telemetry.measures import Part, PrometheusMeasures
from coravet.adapters.vips.converter import VipsConverter
from coravet.adapters.whatsapp.by_hand import WaMeLinks
from coravet.adapters.whatsapp.cloud import CloudApi
from coravet.core.exchange.apply import apply
from coravet.core.exchange.export import Manifest, NotWhole, verify
from coravet.core.exchange.imports import ApplyImport, CheckImport, check
from coravet.core.kernel.actor import NO_CLINIC, Actor, ClinicId
from coravet.core.kernel.apart import KeptApart
from coravet.core.kernel.clock import Clock, SystemClock
from coravet.core.kernel.errors import NotFound, Unavailable
from coravet.core.kernel.jobs import Periodic
from coravet.core.kernel.measures import UNMEASURED, Measures
from coravet.core.kernel.steady import Steady
from coravet.core.legal.canonical import digest
from coravet.core.legal.documents import Change
from coravet.core.legal.drift import LegalDrift, drift
from coravet.core.legal.folder import examine
from coravet.core.legal.gate import CachedGate
from coravet.core.legal.heads import keep_heads
from coravet.core.legal.publish import NotPublishable, Published, publish
from coravet.core.media.ports import ObjectStore
from coravet.core.media.process import process
from coravet.core.media.studio import Studio
from coravet.core.media.sweep import delete_discarded, discard_orphans, drop_unwanted, end_unfinished
from coravet.core.media.take import ProcessMedia
from coravet.core.messaging.plan import plan
from coravet.core.messaging.ports import Messenger, SendMessage
from coravet.core.messaging.send import Post, send
from coravet.core.privacy.accounts import DeleteAccount, delete_account
from coravet.core.privacy.ports import NotifyOfRequest
from coravet.core.privacy.record import record
from coravet.core.privacy.reminders import notify_of_request, remind_of_requests
from coravet.core.privacy.replay import undone
from coravet.core.records.documents import Seal
from coravet.core.scheduling.freed import TimeFreed
from coravet.core.scheduling.offering import OfferEnds, end_offer, offer_freed
from coravet.core.scheduling.waitlist import WishEnds, end_wish
from coravet.core.tenancy.clinics import NewClinic, open_clinic
from coravet.core.tenancy.operators import grant_operator
from coravet.core.tenancy.views import NewClinicView
from coravet.entrypoints.http.app import API, build
from coravet.entrypoints.http.call import Ports
from coravet.entrypoints.http.documents import PAGES
from coravet.entrypoints.http.language import Language, told
from coravet.entrypoints.http.live import stream_events
from coravet.entrypoints.http.middleware import RequestContext
from coravet.entrypoints.live.layer import Live
from coravet.entrypoints.live.stream import Streams
from coravet.entrypoints.worker.worker import Handlers, Worker
from coravet.settings import Settings, load

log = structlog.get_logger("coravet.register")

COOKIE = "coravet_session"
KEPT_CLAIMS = timedelta(seconds=45)
"""A stream lives for 60 s on the provider's last word: one that opens on kept claims has time for the next."""

MEASURED_SECONDS = 5.0
"""How old levels are at most when they are read, such as how many streams are open."""

ROLE = "SELECT rolname AS name, rolsuper OR rolbypassrls AS unsafe FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True)
class Application:
    """The application: `asgi` is what a server runs, `litestar` what it wraps."""

    asgi: ASGIApp
    litestar: Litestar
    works: Works[ClinicWork]
    engine: AsyncEngine
    studio: Studio


class Services:
    """The service without its HTTP edge, for commands and jobs."""

    def __init__(self, works: Works[ClinicWork], settings: Settings) -> None:
        self.begin = works.begin
        self.system_begin = works.system_begin
        self.skip_events = PostgresJournal(works).skip
        self.numbers = EcuadorNumbers()
        self.archiver = ZipWriter()
        self.apart = make_apart(settings)
        self.store = make_store(settings)
        self.legal = legal_files(settings)
        self.clock = SystemClock()

    async def create_clinic(self, slug: str, name: str, time_zone: str, owner_email: str | None) -> NewClinicView:
        """Open a clinic and invite its first owner. Raises Invalid, Duplicate, ValueError for a bad slug."""
        command = msgspec.convert(
            {"slug": slug, "name": name, "time_zone": time_zone, "owner_email": owner_email}, NewClinic
        )
        return await open_clinic(command, self.system_begin, self.clock)

    async def publish(self, slug: str, version: str, change: Change) -> Published:
        """Publish a version of a legal text from the folder. Raises NotPublishable."""
        examined = examine(
            {
                path: data
                for path, data in self.legal.items()
                if (path.parent.name, path.stem.rpartition(".")[0]) == (slug, version)
            }
        )
        if examined.problems or not examined.texts:
            raise NotPublishable(
                f"legal/{slug} has no sound version {version}: see what `coravet legal check` says of it."
            )
        return await publish(examined.texts, change, self.system_begin, self.clock)

    async def system_of(self, slug: str) -> Actor:
        """The system at work in the clinic of that address. Raises NotFound."""
        async with self.system_begin("command") as work:
            found = await work.fetch("SELECT id, time_zone FROM clinics WHERE slug = $1", slug)
        if not found:
            raise NotFound
        return Actor(clinic_id=ClinicId(found[0]["id"]), time_zone=found[0]["time_zone"], user_id=None)

    async def verify_archive(self, path: Path) -> Manifest:
        """The manifest of an archive of everything of a clinic. Raises NotWhole where it does not hold that."""

        def whole() -> Manifest:
            try:
                return verify(read(path))
            except (BadZipFile, EOFError, zlib.error) as error:
                raise NotWhole(path.name) from error

        return await asyncio.to_thread(whole)

    @staticmethod
    def tell(language: Language) -> Callable[[str], str]:
        """Says sentences in that language."""
        return partial(told, language=language)

    async def grant_operator(self, email: str, reason: str) -> None:
        """Make the person of that mail address an operator. Raises Invalid, saying why not."""
        await grant_operator(email, reason, self.system_begin)


def make_works(settings: Settings, engine: AsyncEngine) -> Works[ClinicWork]:
    """Units of work on this pool."""
    return Works(engine, ClinicWork, f"{settings.database_role_prefix}_system", public_url=settings.public_url)


def make_fanout(settings: Settings) -> KeptFanout:
    """How this process tells all others of events, by the server that is set."""
    if settings.fanout is None:
        return KeptFanout(PostgresChannel(settings.direct_url))
    url = settings.fanout.get_secret_value()
    if url.startswith(("nats://", "tls://")):
        return KeptFanout(NatsChannel(url, settings.database_name))
    return KeptFanout(RedisChannel(url, settings.database_name))


def make_apart(settings: Settings) -> FolderApart:
    """Where entries are kept apart from the database; production's folder is there, or nothing is written."""
    return FolderApart(settings.kept_apart, make=settings.environment != "production")


def make_converter(settings: Settings) -> VipsConverter:
    """What converts pictures; the caller closes it."""
    return VipsConverter(
        helpers=settings.picture_helpers, megabytes=settings.picture_megabytes, seconds=settings.picture_seconds
    )


def make_store(settings: Settings) -> ObjectStore:
    """Where photos and files lie; production's folder is there, or nothing is stored."""
    key_id, secret = settings.storage_key_id, settings.storage_secret
    if "://" not in settings.storage or key_id is None or secret is None:
        return FolderStore(Path(settings.storage), make=settings.environment != "production")
    server, _, bucket = settings.storage.rpartition("/")
    return BucketStore(server, bucket, settings.storage_region, key_id, secret.get_secret_value())


def make_studio(settings: Settings) -> tuple[Studio, VipsConverter]:
    """What photos are made with, and its converter, which the caller closes."""
    converter = make_converter(settings)
    return Studio(make_store(settings), converter), converter


def make_identity(settings: Settings, clock: Clock) -> FirebaseIdentity:
    """Firebase, or its emulator; the caller closes it."""
    return FirebaseIdentity(
        settings.firebase_project_id,
        clock=clock,
        credentials=settings.firebase_credentials,
        emulator_host=settings.firebase_auth_emulator_host,
    )


def make_mail(settings: Settings, clock: Clock) -> SmtpMessenger | None:
    """The mail server, or None where none is set."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return SmtpMessenger(settings.smtp_url.get_secret_value(), settings.mail_from, clock)


def make_post(settings: Settings, clock: Clock) -> Post:
    """What carries messages: their writer, and the channels that are set up."""
    api = f"{settings.public_url}{API}/portal"
    bookings, offers = (settings.portal_url or f"{api}/{each}" for each in ("bookings", "offers"))
    writer = BilingualWriter(ICalendarWriter(), bookings, offers, f"{api}/opt-outs")
    messengers: dict[str, Messenger] = {"whatsapp": WaMeLinks()}
    mail = make_mail(settings, clock)
    if mail is not None:
        messengers["mail"] = mail
    number, token = settings.whatsapp_phone_number_id, settings.whatsapp_token
    if number is not None and token is not None:
        templates = settings.whatsapp_templates
        messengers["whatsapp"] = CloudApi(settings.whatsapp_api_url, number, token.get_secret_value(), templates)
    return Post(writer, messengers)


def legal_files(settings: Settings) -> dict[PurePath, bytes]:
    """The files of legal texts; none where there is no such folder."""
    return {path: path.read_bytes() for path in sorted(settings.legal.glob("*/*.md"))}


async def refuse_drift(works: Works[ClinicWork], settings: Settings) -> None:
    """Raises LegalDrift where the published texts are not what they must be, and Unavailable without a database."""
    hashes = {
        (path.parent.name, *path.stem.rpartition(".")[::2]): digest(data)
        for path, data in legal_files(settings).items()
    }
    async with works.system_begin("look for drift of legal texts") as work:
        problems = drift(await work.publishing.stored(), hashes)
    if problems:
        raise LegalDrift(problems)


async def tell_of_restore(works: Works[ClinicWork], settings: Settings) -> None:
    """Log an error where the database has whoever was erased or left, as after a backup was restored."""
    try:
        lacking = await undone(works.system_begin, make_apart(settings))
    except Unavailable:
        log.warning("register_out_of_reach", register=settings.kept_apart)
        return
    if lacking:
        log.error("register_not_replayed", lacking=lacking, remedy="coravet privacy replay")


def make_measures(part: Part, port: int | None) -> Measures:
    """What Prometheus reads on that port, which somebody else serves; nothing is measured where there is none."""
    return UNMEASURED if port is None else PrometheusMeasures(part)


def measure_pool(measures: Measures, engine: AsyncEngine) -> None:
    """Say how many of the pool's connections are lent out now."""
    if isinstance(engine.pool, QueuePool):
        measures.stands("database_connections", engine.pool.size())
        measures.stands("database_connections_in_use", engine.pool.checkedout())


@asynccontextmanager
async def services(settings: Settings) -> AsyncIterator[Services]:
    """The service on its own pool, closed at the end."""
    engine = make_engine(settings)
    try:
        yield Services(make_works(settings, engine), settings)
    finally:
        await engine.dispose()


def processing_record(language: Language) -> str:
    """The record of processing activities, in Markdown."""
    return record(stored_columns(), language)


async def _ready(engine: AsyncEngine) -> None:
    """Raises a domain error where the database does not answer."""
    try:
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
    except Exception as error:
        meant = domain_error(error)
        if meant is None:
            raise
        raise meant from error


def application(settings: Settings) -> Application:
    """The wired application; parts start with the server's lifespan and end with it."""
    clock = SystemClock()
    engine = make_engine(settings)
    works = make_works(settings, engine)
    identity = make_identity(settings, clock)
    cached = CachedIdentity(identity, clock=clock, max_age=KEPT_CLAIMS)

    directory = PostgresDirectory(engine)
    sheets = TypstWriter()
    studio, converter = make_studio(settings)
    fanout = make_fanout(settings)
    gate = CachedGate(PostgresGate(engine, settings.public_url), clock)
    measures = make_measures("server", settings.metrics_port)
    live = Live(
        PostgresJournal(works), fanout, directory, identity, cached.forget, gate, clock, settings.port, measures
    )
    works.committed = live.wake

    async def measure() -> None:
        live.measure()
        measure_pool(measures, engine)

    @asynccontextmanager
    async def parts(_: Litestar) -> AsyncIterator[None]:
        try:
            if settings.environment == "production":
                await refuse_unsafe_role(engine)
            # Without a database nothing is served; who starts the service looks again before it does.
            with suppress(Unavailable):
                await refuse_drift(works, settings)
                await tell_of_restore(works, settings)
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(fanout)
                await stack.enter_async_context(live.running())
                if settings.metrics_port is not None:
                    await stack.enter_async_context(Steady("measuring", measure, every=MEASURED_SECONDS))
                yield
        finally:
            sheets.close()
            await converter.aclose()
            await identity.aclose()
            await engine.dispose()
        # Where it was killed instead, this is what its log lacks.
        structlog.get_logger("coravet.serve").info("the serving process has ended")

    ports = Ports(
        begin=works.begin,
        system_begin=works.system_begin,
        identity=cached,
        directory=directory,
        gate=gate,
        numbers=EcuadorNumbers(),
        limits=Limiter(
            PostgresHits(engine),
            {
                "address": settings.guests_per_address,
                "clinic": settings.guests_per_clinic,
                "phone": settings.guests_per_phone,
                "reading": settings.guests_reading,
            },
        ),
        calendars=ICalendarWriter(),
        writer=make_post(settings, clock).writer,
        by_hand=WaMeLinks(),
        sheets=sheets,
        seal=Seal(settings.document_key.get_secret_value().encode(), f"{settings.public_url}{PAGES}"),
        holidays=EcuadorHolidays(),
        archiver=ZipWriter(),
        apart=make_apart(settings),
        studio=studio,
        clock=clock,
        ready=partial(_ready, engine),
        public_url=settings.public_url,
        cookie=f"__Host-{COOKIE}" if settings.cookie_secure else COOKIE,
        cookie_secure=settings.cookie_secure,
        session_life=timedelta(days=settings.session_days),
        origins=frozenset({settings.public_url, *settings.allowed_origins}),
        max_body_bytes=settings.max_body_bytes,
    )
    litestar = build(ports, routes=[stream_events(live)], lifespan=[parts])
    asgi: ASGIApp = RequestContext(sentry.traced(Streams(litestar), settings), measures)
    if settings.trusted_proxies:
        asgi = wrap_asgi_with_proxy_headers(asgi, trusted_hosts=list(settings.trusted_proxies))
    return Application(asgi, litestar, works, engine, studio)


def handlers(works: Works[ClinicWork], settings: Settings, clock: Clock, studio: Studio) -> Handlers:
    """Which use case does which kind of job."""
    post = make_post(settings, clock)
    notices = BilingualNotices(f"{settings.public_url}{API}/clinics/{{clinic}}/privacy/requests")

    async def send_message(job: SendMessage, actor: Actor) -> None:
        await send(job.message_id, actor, works.begin, clock, post)

    async def check_import(job: CheckImport, actor: Actor) -> None:
        await check(job.import_id, actor, works.begin, clock, EcuadorNumbers())

    async def apply_import(job: ApplyImport, actor: Actor) -> None:
        await apply(job.import_id, actor, works.begin, clock)

    async def process_media(job: ProcessMedia, actor: Actor) -> None:
        await process(job, actor, works.begin, clock, studio)

    async def notify(job: NotifyOfRequest, actor: Actor) -> None:
        await notify_of_request(job, actor, works.begin, notices, post.messengers.get("mail"))

    async def delete(job: DeleteAccount, actor: Actor) -> None:  # noqa: ARG001 -- of no clinic
        # Seldom done, so that workers need no identity provider but then.
        identity = make_identity(settings, clock)
        try:
            await delete_account(job.erasure_id, works.system_begin, clock, identity)
        finally:
            await identity.aclose()

    return {
        SendMessage: send_message,
        TimeFreed: partial(offer_freed, begin=works.begin, clock=clock),
        OfferEnds: partial(end_offer, begin=works.begin, clock=clock),
        WishEnds: partial(end_wish, begin=works.begin, clock=clock),
        CheckImport: check_import,
        ApplyImport: apply_import,
        ProcessMedia: process_media,
        NotifyOfRequest: notify,
        DeleteAccount: delete,
    }


def timetable(works: Works[ClinicWork], clock: Clock, apart: KeptApart, store: ObjectStore) -> list[Periodic]:
    """What is done over and over for all clinics."""
    return [
        Periodic("housekeeping", "*/10 * * * *", partial(prune, works)),
        Periodic("retention", "20 * * * *", partial(let_go, works)),
        Periodic("acceptance heads", "*/10 * * * *", partial(_keep_heads, apart, works, clock)),
        Periodic("discarded objects", "*/5 * * * *", partial(delete_discarded, works.system_begin, store)),
        Periodic("unwanted uploads", "*/5 * * * *", partial(drop_unwanted, works.system_begin, store, clock)),
        Periodic("unfinished uploads", "35 * * * *", partial(end_unfinished, works.system_begin, store, clock)),
        Periodic("orphaned objects", "50 8 * * *", partial(discard_orphans, works.system_begin, store, clock)),
        Periodic("reminders", "*/5 * * * *", partial(plan, works.system_begin, clock)),
        Periodic("rights requests", "*/15 * * * *", partial(remind_of_requests, works.system_begin, clock)),
    ]


async def _keep_heads(apart: KeptApart, works: Works[ClinicWork], clock: Clock) -> None:
    await keep_heads(apart, works.system_begin, clock)


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[Worker]:
    """A worker on its own pools, closed at the end.

    Raises:
        UnsafeRole: in production, where the role of DATABASE_URL is not bound by row-level security.
    """
    clock = SystemClock()
    engine = make_engine(settings)
    works = make_works(settings, engine)

    async def actor_of(clinic_id: ClinicId) -> Actor:
        if clinic_id == NO_CLINIC:
            return Actor(clinic_id=NO_CLINIC, time_zone="UTC", user_id=None)
        async with works.system_begin("job") as work:
            found = await work.fetch("SELECT time_zone FROM clinics WHERE id = $1 AND leaving_since IS NULL", clinic_id)
        if not found:
            raise NotFound
        return Actor(clinic_id=clinic_id, time_zone=found[0]["time_zone"], user_id=None)

    measures = make_measures("worker", settings.worker_metrics_port)
    studio, converter = make_studio(settings)
    does = handlers(works, settings, clock, studio)
    timed = timetable(works, clock, make_apart(settings), studio.store)
    kinds = {job.kind() for job in does}

    async def measure() -> None:
        measure_pool(measures, engine)
        found = {each.kind: each for each in await queued(works)}
        kinds.update(found)  # jobs of another version's kinds may wait, too
        for kind in kinds:
            measures.stands("jobs_waiting", found[kind].waiting if kind in found else 0, kind)
            measures.stands("jobs_failed", found[kind].failed if kind in found else 0, kind)
        measures.stands("jobs_overdue", max((each.overdue for each in found.values()), default=0.0))

    queue = PgqueuerQueue(
        settings.direct_url,
        f"{settings.database_role_prefix}_system",
        concurrency=settings.worker_jobs,
        silence=timedelta(seconds=settings.worker_silence_seconds),
        grace=timedelta(seconds=settings.worker_grace_seconds),
        statement_cache=settings.database_statement_cache,
    )
    try:
        if settings.environment == "production":
            await refuse_unsafe_role(engine)
        async with AsyncExitStack() as stack:
            if settings.worker_metrics_port is not None:
                await stack.enter_async_context(Steady("measuring", measure, every=MEASURED_SECONDS))
            yield Worker(queue, does, timed, actor_of, measures=measures)
    finally:
        await converter.aclose()
        await engine.dispose()


class UnsafeRole(Exception):
    """The database role of DATABASE_URL may pass over row-level security."""


async def refuse_unsafe_role(engine: AsyncEngine) -> None:
    """Raises UnsafeRole where the pool's role is not bound by row-level security."""
    async with engine.connect() as connection:
        role = (await connection.execute(sa.text(ROLE))).one()
    if role.unsafe:
        raise UnsafeRole(
            f"DATABASE_URL's role {role.name} is a superuser or has BYPASSRLS: clinics would see each other's rows. "
            "Use the application's role that `coravet migrate` makes."
        )


def asgi() -> ASGIApp:
    """What the server runs: the application on the environment's settings.

    Raises:
        SettingsError: naming everything that is wrong with them.
    """
    settings = load()
    logs.configure(settings)
    sentry.configure(settings)
    wired = application(settings)
    # What is there by now stays to the end: no garbage is looked for among it. What requests leave in cycles is little,
    # so it can wait.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    return wired.asgi
