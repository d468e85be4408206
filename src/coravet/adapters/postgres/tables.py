"""Every table, in one metadata: importing this module maps all aggregates."""

from coravet.adapters.postgres.exchange import tables as exchange
from coravet.adapters.postgres.legal import tables as legal
from coravet.adapters.postgres.live import tables as live
from coravet.adapters.postgres.media import tables as media
from coravet.adapters.postgres.messaging import tables as messaging
from coravet.adapters.postgres.patients import tables as patients
from coravet.adapters.postgres.privacy import erasure_tables as erasures
from coravet.adapters.postgres.privacy import leaving_tables as leaving
from coravet.adapters.postgres.privacy import tables as privacy
from coravet.adapters.postgres.records import documents_tables as documents
from coravet.adapters.postgres.records import tables as records
from coravet.adapters.postgres.records import treatments_tables as treatments
from coravet.adapters.postgres.scheduling import tables as scheduling
from coravet.adapters.postgres.schema import metadata
from coravet.adapters.postgres.tenancy import tables as tenancy

__all__ = [
    "documents",
    "erasures",
    "exchange",
    "leaving",
    "legal",
    "live",
    "media",
    "messaging",
    "metadata",
    "patients",
    "privacy",
    "records",
    "scheduling",
    "tenancy",
    "treatments",
]
