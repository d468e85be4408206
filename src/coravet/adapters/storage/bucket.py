"""Objects in a bucket of R2, or of anything else that speaks S3."""

import asyncio
from collections.abc import AsyncIterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

from coravet.adapters.storage.reading import PATIENCE, Body, Reading, answering, checked
from coravet.core.kernel.errors import Unavailable
from coravet.core.media.keys import Key
from coravet.core.media.ports import LONGEST_LIFE

if TYPE_CHECKING:
    # These exist for the type checker alone.
    from obstore import HTTP_METHOD, Attributes
    from obstore.store import ClientConfig, RetryConfig

AT_ONCE_BYTES = 8 * 1024 * 1024
"""What is no larger is stored by one request, under the condition that nothing is there; the rest in parts like it."""

ANSWER_SECONDS = 20
"""How long one request may wait for its answer, and how long after the first one another is tried."""

SHOWN = "image/webp"
"""What a browser may show in place. Anything else that an address leads to is saved, never run."""


class BucketStore(Reading):
    """The `ObjectStore` port over a private bucket.

    Args:
        endpoint: the server, such as `https://<account>.r2.cloudflarestorage.com`; the bucket's name follows its host.
    """

    def __init__(
        self, endpoint: str, bucket: str, region: str, key_id: str, secret: str, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        retry: RetryConfig = {
            "max_retries": 3,
            "retry_timeout": timedelta(seconds=answer_seconds),
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2},
        }
        client: ClientConfig = {
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=answer_seconds),
            # As long as a slow reader of a large object needs; the others bound what a store that is silent costs.
            "timeout": timedelta(minutes=10),
        }
        self._store = S3Store(
            bucket,
            config={
                "endpoint": endpoint,
                "region": region,
                "access_key_id": key_id,
                "secret_access_key": secret,
                "virtual_hosted_style_request": False,
            },
            client_options=client,
            retry_config=retry,
        )

    async def _library(self) -> S3Store:
        return self._store

    async def put(self, key: Key, body: bytes | AsyncIterable[bytes], size: int, media_type: str) -> bool:
        checked(key)
        shown = "inline" if media_type == SHOWN else "attachment"
        attributes: Attributes = {
            "Content-Type": media_type,
            "Content-Disposition": shown,
            "Cache-Control": "private, max-age=31536000, immutable",
        }
        if size > AT_ONCE_BYTES:
            return await self._put_in_parts(key, Body(body, size), attributes)
        whole = b"".join([piece async for piece in Body(body, size)])
        with answering():
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._store.put_async(key, whole, attributes=attributes, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    async def _put_in_parts(self, key: Key, body: Body, attributes: "Attributes") -> bool:
        # The library sets no condition for these. Two who pass here together store the same content, each whole.
        if await self.head(key) is not None:
            return False
        try:
            with answering():
                await self._store.put_async(
                    key,
                    body,
                    attributes=attributes,
                    use_multipart=True,
                    chunk_size=AT_ONCE_BYTES,
                    max_concurrency=1,
                )
        except Unavailable:
            if body.error is not None:  # an OSError of whoever sends it is no fault of the store
                raise body.error from None
            raise
        return True

    async def delete(self, keys: Sequence[Key]) -> None:
        if not keys:
            return
        with answering(), suppress(FileNotFoundError):
            async with asyncio.timeout(PATIENCE):
                await self._store.delete_async(list(keys))

    def reading_addresses(self, keys: Sequence[Key], life: timedelta) -> list[str] | None:
        return self._signed("GET", keys, life)

    def upload_address(self, key: Key, life: timedelta) -> str | None:
        return self._signed("PUT", [key], life)[0]

    def _signed(self, method: "HTTP_METHOD", keys: Sequence[Key], life: timedelta) -> list[str]:
        if not timedelta(seconds=1) <= life <= LONGEST_LIFE:
            raise ValueError("An address lives from a second to seven days.")
        # Computed here: nobody is asked.
        return list(obstore.sign(self._store, method, list(keys), life)) if keys else []
