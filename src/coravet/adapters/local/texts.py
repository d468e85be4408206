"""The legal texts of a service on one machine: published where none were, so that everything works at once."""

from collections.abc import Callable

from coravet.adapters.local import LocalError
from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.core.kernel.clock import SystemClock
from coravet.core.legal.documents import DOCUMENTS
from coravet.core.legal.folder import LegalText, examine
from coravet.core.legal.publish import publish
from coravet.settings import Settings


async def publish_shipped(settings: Settings, echo: Callable[[str], None]) -> None:
    """Publish the newest version in the folder of each document of which nothing was ever published.

    Where something was, publishing goes on being somebody's decision: `coravet legal publish`.

    Args:
        echo: is told what was published, for a person to read; nothing where nothing was.

    Raises:
        LocalError: in production, where nobody publishes by starting a service.
    """
    if settings.environment == "production":
        raise LocalError("In production legal texts are published by `coravet legal publish`, one by one.")
    texts = examine({path: path.read_bytes() for path in sorted(settings.legal.glob("*/*.md"))}).texts
    engine = make_engine(settings)
    try:
        works = Works(engine, ClinicWork, f"{settings.database_role_prefix}_system")
        async with works.system_begin("look for legal texts") as work:
            known = {slug for slug in DOCUMENTS if await work.publishing.versions(slug)}
        told = []
        for slug in DOCUMENTS:
            newest = _newest([text for text in texts if text.slug == slug])
            if newest and slug not in known:
                await publish(newest, "major", works.system_begin, SystemClock())
                told.append(f"{slug} {newest[0].version}")
        if told:
            echo(f"Published the legal texts: {', '.join(told)}")
    finally:
        await engine.dispose()


def _newest(texts: list[LegalText]) -> list[LegalText]:
    """The texts of the highest version, in all its languages."""
    highest = max((_numbers(text) for text in texts), default=None)
    return [text for text in texts if _numbers(text) == highest]


def _numbers(text: LegalText) -> list[int]:
    return [int(number) for number in text.version.split(".")]
