"""Legal texts for tests, published as any other, and decisions on them."""

from hashlib import sha256
from pathlib import PurePath

from coravet.adapters.postgres.engine import make_engine
from coravet.adapters.postgres.nouns import ClinicWork
from coravet.adapters.postgres.work import Works
from coravet.bootstrap import make_works
from coravet.core.kernel.actor import UserId
from coravet.core.kernel.clock import SystemClock
from coravet.core.legal.accept import NewAcceptance, decide
from coravet.core.legal.documents import LOCALES, Change, Decision
from coravet.core.legal.folder import LegalText
from coravet.core.legal.model import Evidence
from coravet.core.legal.publish import publish
from coravet.core.legal.views import AcceptanceView
from coravet.settings import Settings

VERSION = "0.1"
"""Of what every test database has: below those of the files, which are none of a test's business."""

EVERYWHERE = ("portal-terms", "consent-marketing", "consent-whatsapp", "consent-photos")
"""What is published in every test database: texts that block nobody."""


def body(slug: str, version: str, locale: str = "es-EC") -> str:
    """The words of a text."""
    return f"# Texto de prueba {slug}\n\nVersión {version}, {locale}.\n"


def shown(slug: str, version: str = VERSION, locale: str = "es-EC") -> dict[str, str]:
    """A text as a page that showed it names it."""
    digest = sha256(body(slug, version, locale).encode()).hexdigest()
    return {"slug": slug, "version": version, "locale": locale, "sha256": digest}


class Registry:
    """Publishes texts and decides about them, by the use cases."""

    def __init__(self, works: Works[ClinicWork]) -> None:
        self._begin = works.system_begin
        self._clock = SystemClock()
        self._in_force: dict[str, str] = {}

    async def publish(self, slug: str, version: str = VERSION, change: Change = "major") -> None:
        """A new version, in both languages."""
        texts = [
            LegalText(PurePath(), slug, version, locale, "Texto de prueba", body(slug, version, locale), digest)
            for locale in LOCALES
            for digest in [shown(slug, version, locale)["sha256"]]
        ]
        await publish(texts, change, self._begin, self._clock)
        self._in_force[slug] = version

    async def decide(self, user_id: UserId, slug: str, decision: Decision, clinic: str | None = None) -> AcceptanceView:
        """A person's decision on the version that was published last."""
        text = shown(slug, self._in_force[slug])
        command = NewAcceptance(**text, decision=decision, clinic=clinic)
        return await decide(command, user_id, Evidence(), self._begin, self._clock)


async def publish_everywhere(settings: Settings) -> None:
    """The texts that block nobody."""
    engine = make_engine(settings)
    registry = Registry(make_works(settings, engine))
    for slug in EVERYWHERE:
        await registry.publish(slug)
    await engine.dispose()
