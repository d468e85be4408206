"""Publishing a version of a legal text: explicitly, once, and for good."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args
from uuid import UUID

import msgspec

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import LegalAcceptanceRequired
from coravet.core.kernel.work import SystemBegin
from coravet.core.legal.changes import changed_sections, least_class
from coravet.core.legal.documents import DOCUMENTS, REQUIRED_LOCALE, Change
from coravet.core.legal.folder import LegalText
from coravet.core.legal.model import PublishedText
from coravet.core.legal.ports import LegalWork

CHANGES: tuple[Change, ...] = get_args(Change)[::-1]
"""From the least to the greatest."""


class NotPublishable(ValueError):
    """The text may not be published like this; the message says to who publishes it why, and what to do."""


class Published(msgspec.Struct, frozen=True):
    """What became of it.

    Attributes:
        new: it was published now, and not before with the same words.
        asked: how many people must accept it before they go on.
    """

    new: bool
    asked: int


async def publish(texts: Sequence[LegalText], change: Change, begin: SystemBegin[LegalWork], clock: Clock) -> Published:
    """Publish one version of one document in all its languages, as the one in force from now on.

    Args:
        texts: canonical, of one slug and version.
        change: what it changes against the version of now; the first version of a document is always major.

    Raises:
        NotPublishable: the version is published with other words, the required language is missing, or the class of
            change is too low.
    """
    slug, version = texts[0].slug, texts[0].version
    if REQUIRED_LOCALE not in {text.locale for text in texts}:
        raise NotPublishable(f"{slug} {version} lacks the language {REQUIRED_LOCALE}: write that text first.")
    async with begin("publish a legal text") as work:
        before = await work.publishing.versions(slug)
        same = {text.locale: text.sha256 for text in before if text.version == version}
        if same:
            if same != {text.locale: text.sha256 for text in texts}:
                raise NotPublishable(
                    f"{slug} {version} is published with other words, which stay. Give new ones a version of their own."
                )
            return Published(new=False, asked=0)
        if not before and change != "major":
            raise NotPublishable(f"{slug} {version} is its first version, which is always a major change.")
        newest = max((text.ordinal for text in before), default=0)
        if {text.sha256 for text in texts} & {text.sha256 for text in before if text.ordinal == newest}:
            raise NotPublishable(f"{slug} {version} has the very words of the version before: edit the copies first.")
        if change != "major":
            await _refuse_understated(work, change, before, texts)
        version_id = work.new_id()
        now = clock.now()
        await work.publishing.add(
            [_published(text, change, version_id, before, now) for text in texts], [text.text for text in texts]
        )
        document = DOCUMENTS[slug]
        asked = []
        if document.blocking and change == "major":
            asked = await work.publishing.concerned(owners=document.audience == "clinic")
        for clinic_id, user_id in asked:
            work.emit(LegalAcceptanceRequired(version_id, person=user_id), clinic_id)
        return Published(new=True, asked=len({user_id for _, user_id in asked}))


def _published(
    text: LegalText, change: Change, version_id: UUID, before: Sequence[PublishedText], now: datetime
) -> PublishedText:
    return PublishedText(
        slug=text.slug,
        version=text.version,
        version_id=version_id,
        ordinal=1 + max((each.ordinal for each in before), default=0),
        change=change,
        published_at=now,
        locale=text.locale,
        title=text.title,
        sha256=text.sha256,
        in_force=True,
    )


async def _refuse_understated(
    work: LegalWork, change: Change, before: Sequence[PublishedText], texts: Sequence[LegalText]
) -> None:
    """Raises NotPublishable where the words changed more than the class of change says, in any language."""
    newest = max(text.ordinal for text in before)
    for was in before:
        body = await work.legal_texts.body(was.slug, was.version, was.locale) if was.ordinal == newest else None
        for text in texts:
            if body is None or text.locale != was.locale:
                continue
            least = least_class(body, text.text)
            if CHANGES.index(change) < CHANGES.index(least):
                headings = "; ".join(changed_sections(body, text.text)) or "its headings"
                raise NotPublishable(
                    f"{text.slug} {text.version} is at least a {least} change in {text.locale}: look at {headings}."
                )
