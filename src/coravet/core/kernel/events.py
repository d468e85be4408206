"""The catalogue of events: what may change in a clinic, who may hear of it, and what a stream says of itself.

An event carries ids and versions, never personal data: whoever may see the subject fetches it.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import UserId

Audience = Literal["clinic", "records:read", "clinic:configure", "members:manage", "privacy:manage", "person"]
SubjectType = Literal[
    "appointment",
    "waitlist_entry",
    "client",
    "patient",
    "encounter",
    "problem",
    "immunization",
    "deworming",
    "prescription",
    "service",
    "resource",
    "closure",
    "clinic",
    "member",
    "session",
    "invitation",
    "message",
    "privacy_request",
    "legal_version",
    "media",
]


class Event(msgspec.Struct, frozen=True, tag_field="kind"):
    """Something that became true.

    Attributes:
        id: of the subject.
        version: the subject's version from now on; None where it has none.
        audience: everyone in the clinic, the holders of a permission, or one person.
        subject_type: what `id` names.
    """

    audience: ClassVar[Audience] = "clinic"
    subject_type: ClassVar[SubjectType]

    id: UUID
    version: int | None = None

    @classmethod
    def kind(cls) -> str:
        """The name by which clients know this event, such as `appointment.booked`."""
        return str(cls.__struct_config__.tag)


class _Appointment(Event, frozen=True):
    subject_type: ClassVar[SubjectType] = "appointment"


class AppointmentRequested(_Appointment, frozen=True, tag="appointment.requested"):
    """A guest asks for a visit, which waits to be confirmed."""


class AppointmentBooked(_Appointment, frozen=True, tag="appointment.booked"):
    """A visit was booked."""


class AppointmentConfirmed(_Appointment, frozen=True, tag="appointment.confirmed"):
    """A visit is confirmed."""


class AppointmentRescheduled(_Appointment, frozen=True, tag="appointment.rescheduled"):
    """The visit was moved to another time."""


class AppointmentReassigned(_Appointment, frozen=True, tag="appointment.reassigned"):
    """Others will serve the visit."""


class AppointmentCheckedIn(_Appointment, frozen=True, tag="appointment.checked_in"):
    """The patient arrived."""


class AppointmentStarted(_Appointment, frozen=True, tag="appointment.started"):
    """The exam began."""


class AppointmentReady(_Appointment, frozen=True, tag="appointment.ready"):
    """The patient may be collected."""


class AppointmentCompleted(_Appointment, frozen=True, tag="appointment.completed"):
    """The visit is over."""


class AppointmentCancelled(_Appointment, frozen=True, tag="appointment.cancelled"):
    """The visit will not take place; its time is free."""


class AppointmentNoShow(_Appointment, frozen=True, tag="appointment.no_show"):
    """Nobody came; its time is free."""


class _WaitlistEntry(Event, frozen=True):
    subject_type: ClassVar[SubjectType] = "waitlist_entry"


class WaitlistJoined(_WaitlistEntry, frozen=True, tag="waitlist.joined"):
    """Somebody waits for time to become free, or waits on after an offer passed."""


class WaitlistOffered(_WaitlistEntry, frozen=True, tag="waitlist.offered"):
    """Time is held for somebody who waits."""


class WaitlistLeft(_WaitlistEntry, frozen=True, tag="waitlist.left"):
    """Somebody waits no longer: they gave it up, their days are over, or a visit came of it."""


class ClientCreated(Event, frozen=True, tag="client.created"):
    """A client was registered."""

    subject_type: ClassVar[SubjectType] = "client"


class ClientUpdated(Event, frozen=True, tag="client.updated"):
    """A client's data changed."""

    subject_type: ClassVar[SubjectType] = "client"


class ClientMerged(Event, frozen=True, tag="client.merged"):
    """Another client's record became this one's."""

    subject_type: ClassVar[SubjectType] = "client"


class ClientErased(Event, frozen=True, tag="client.erased"):
    """A client was erased: what is kept of them names nobody any more."""

    subject_type: ClassVar[SubjectType] = "client"


class PatientCreated(Event, frozen=True, tag="patient.created"):
    """A patient was registered."""

    subject_type: ClassVar[SubjectType] = "patient"


class PatientUpdated(Event, frozen=True, tag="patient.updated"):
    """A patient's data changed."""

    subject_type: ClassVar[SubjectType] = "patient"


class PatientTransferred(Event, frozen=True, tag="patient.transferred"):
    """A patient has another owner."""

    subject_type: ClassVar[SubjectType] = "patient"


class PatientAlertChanged(Event, frozen=True, tag="patient.alert_changed"):
    """An alert of the patient was made, changed or ended."""

    subject_type: ClassVar[SubjectType] = "patient"


class PatientPhotoChanged(Event, frozen=True, tag="patient.photo_changed"):
    """Another photo of the patient shows, or none any more."""

    subject_type: ClassVar[SubjectType] = "patient"


class PatientDeceased(Event, frozen=True, tag="patient.deceased"):
    """A patient's death was recorded, or its day was corrected."""

    subject_type: ClassVar[SubjectType] = "patient"


class PatientRevived(Event, frozen=True, tag="patient.revived"):
    """A patient's death was recorded by mistake, which was taken back."""

    subject_type: ClassVar[SubjectType] = "patient"


class _Encounter(Event, frozen=True):
    audience: ClassVar[Audience] = "records:read"
    subject_type: ClassVar[SubjectType] = "encounter"


class EncounterOpened(_Encounter, frozen=True, tag="encounter.opened"):
    """A visit is being written down."""


class EncounterUpdated(_Encounter, frozen=True, tag="encounter.updated"):
    """An encounter's draft changed, or it was marked as entered in error."""


class EncounterSigned(_Encounter, frozen=True, tag="encounter.signed"):
    """An encounter was signed; from now on it is only added to."""


class EncounterAddended(_Encounter, frozen=True, tag="encounter.addended"):
    """Something was added to a signed encounter."""


class ProblemChanged(Event, frozen=True, tag="problem.changed"):
    """A problem was noted, or what is known of it changed."""

    audience: ClassVar[Audience] = "records:read"
    subject_type: ClassVar[SubjectType] = "problem"


class ImmunizationRecorded(Event, frozen=True, tag="immunization.recorded"):
    """An immunization was recorded, or marked as entered in error."""

    subject_type: ClassVar[SubjectType] = "immunization"


class DewormingRecorded(Event, frozen=True, tag="deworming.recorded"):
    """A deworming was recorded, or marked as entered in error."""

    subject_type: ClassVar[SubjectType] = "deworming"


class PrescriptionIssued(Event, frozen=True, tag="prescription.issued"):
    """A prescription was issued, or marked as entered in error."""

    audience: ClassVar[Audience] = "records:read"
    subject_type: ClassVar[SubjectType] = "prescription"


class ServiceChanged(Event, frozen=True, tag="service.changed"):
    """A service was made, changed or retired."""

    subject_type: ClassVar[SubjectType] = "service"


class ResourceChanged(Event, frozen=True, tag="resource.changed"):
    """A resource was made, changed or retired."""

    subject_type: ClassVar[SubjectType] = "resource"


class HoursChanged(Event, frozen=True, tag="hours.changed"):
    """A resource's weekly hours changed, or those of a single day."""

    subject_type: ClassVar[SubjectType] = "resource"


class ClosureChanged(Event, frozen=True, tag="closure.changed"):
    """A closure was made, changed or, where it has no version any more, forgotten."""

    subject_type: ClassVar[SubjectType] = "closure"


class ClinicUpdated(Event, frozen=True, tag="clinic.updated"):
    """The clinic's own data changed."""

    subject_type: ClassVar[SubjectType] = "clinic"


class StreamsResynced(Event, frozen=True, tag="stream.resync"):
    """So much changed at once, as when clients are imported, that all that is shown is to be loaded anew."""

    subject_type: ClassVar[SubjectType] = "clinic"


class ReminderDue(Event, frozen=True, tag="reminder.due"):
    """A message waits for somebody at the clinic to send it."""

    subject_type: ClassVar[SubjectType] = "message"


class ReminderSent(Event, frozen=True, tag="reminder.sent"):
    """A message was sent."""

    subject_type: ClassVar[SubjectType] = "message"


class MemberInvited(Event, frozen=True, tag="member.invited"):
    """Somebody was invited."""

    audience: ClassVar[Audience] = "members:manage"
    subject_type: ClassVar[SubjectType] = "invitation"


class _Member(Event, frozen=True):
    # Of one's own place one hears besides, see `hears`.
    audience: ClassVar[Audience] = "members:manage"
    subject_type: ClassVar[SubjectType] = "member"


class MemberJoined(_Member, frozen=True, tag="member.joined"):
    """An invitation was accepted, or a member is active again."""


class MemberRolesChanged(_Member, frozen=True, tag="member.roles_changed"):
    """A member's roles changed; open streams of that person follow at once."""


class MemberDeactivated(_Member, frozen=True, tag="member.deactivated"):
    """A member's access ended; open streams of that person end at once."""


class _PrivacyRequest(Event, frozen=True):
    audience: ClassVar[Audience] = "privacy:manage"
    subject_type: ClassVar[SubjectType] = "privacy_request"


class PrivacyRequestOpened(_PrivacyRequest, frozen=True, tag="privacy.request_opened"):
    """Somebody asks for a right of theirs."""


class PrivacyRequestDue(_PrivacyRequest, frozen=True, tag="privacy.request_due"):
    """The day by which a request must be answered and executed is near, or there."""


class PrivacyRequestClosed(_PrivacyRequest, frozen=True, tag="privacy.request_closed"):
    """A request was answered and, where it was granted, executed."""


class LegalAcceptanceRequired(Event, frozen=True, tag="legal.acceptance_required", kw_only=True):
    """A legal text waits for the person's decision; until then they are let in no further, and their streams end."""

    audience: ClassVar[Audience] = "person"
    subject_type: ClassVar[SubjectType] = "legal_version"
    person: UserId


class SessionEnded(Event, frozen=True, tag="session.ended", kw_only=True):
    """A person logged out; `id` is the session's, and its open streams end at once."""

    audience: ClassVar[Audience] = "person"
    subject_type: ClassVar[SubjectType] = "session"
    person: UserId


class AttachmentAdded(Event, frozen=True, tag="attachment.added"):
    """Something was attached to a patient's record, or what was is marked as entered in error."""

    audience: ClassVar[Audience] = "records:read"
    subject_type: ClassVar[SubjectType] = "media"


class MediaFailed(Event, frozen=True, tag="media.failed"):
    """A photo or file that was handed in cannot be shown; which, and why, is told by it."""

    audience: ClassVar[Audience] = "clinic:configure"
    subject_type: ClassVar[SubjectType] = "media"


def _leaves(cls: type[Event]) -> list[type[Event]]:
    below = cls.__subclasses__()
    return [leaf for sub in below for leaf in _leaves(sub)] if below else [cls]


CATALOGUE: dict[str, type[Event]] = {event.kind(): event for event in _leaves(Event)}


class Author(msgspec.Struct, frozen=True):
    """Who made an event true; nobody where the system did."""

    user_id: UserId | None


class Subject(msgspec.Struct, frozen=True):
    """What an event is about, to be fetched by whoever shows it."""

    type: str
    id: UUID
    version: int | None


class EventData(msgspec.Struct, frozen=True):
    """The `data` of an event's frame. `id` grows within a stream; a reconnecting client sends the last one it saw."""

    id: int
    kind: str
    at: datetime
    actor: Author
    subject: Subject


CloseReason = Literal["session_revoked", "access_ended", "shutting_down", "too_slow"]


class StreamFrame(msgspec.Struct, frozen=True):
    """What a stream says of itself."""

    kind: ClassVar[str]


class StreamHeartbeat(StreamFrame, frozen=True):
    """The stream is alive and its person's access was verified; `at` is the server's time."""

    kind: ClassVar[str] = "stream.heartbeat"

    at: datetime


class StreamResync(StreamFrame, frozen=True):
    """What was missed cannot be told in full: load anew what is shown; from `at` on the stream is complete."""

    kind: ClassVar[str] = "stream.resync"

    at: datetime


class StreamClosed(StreamFrame, frozen=True):
    """The last frame of a stream that the server ends."""

    kind: ClassVar[str] = "stream.closed"

    reason: CloseReason


STREAM_FRAMES: tuple[type[StreamFrame], ...] = (StreamHeartbeat, StreamResync, StreamClosed)
