"""Reminders: rules, channels, recalls, and the messages that come of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from coravet.core.kernel.errors import FieldError, NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.messaging.by_hand import list_messages, mark_sent, skip
from coravet.core.messaging.channels import Channels, choose_channels, opt_out, see_opt_out
from coravet.core.messaging.links import hash_link
from coravet.core.messaging.model import Channel, MessageStatus
from coravet.core.messaging.recalls import NewRecall, check_recall, close_recall, recall_patient
from coravet.core.messaging.rules import Reminders, check_reminders, set_reminders
from coravet.core.messaging.views import ChannelsView, MessageView, OptOutView, RecallView, RemindersView
from coravet.core.tenancy.ports import LinkFound
from coravet.entrypoints.http.access import permitted, public
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit


def _recall_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_recall(given)[1]


def _reminder_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_reminders(given)


@get(
    "/clinics/{clinic:str}/reminder-rules",
    opt=permitted("clinic:read"),
    operation_id="getReminderRules",
    tags=["Reminders"],
)
async def get_reminder_rules(call: NamedDependency[Call]) -> RemindersView:
    """By which rules the clinic reminds, and its quiet hours."""
    async with call.begin(call.actor) as work:
        return await work.message_reads.reminders()


@put(
    "/clinics/{clinic:str}/reminder-rules",
    opt=permitted("clinic:configure") | {"check": _reminder_errors},
    operation_id="setReminderRules",
    tags=["Reminders"],
)
async def put_reminder_rules(data: JSONBody[Reminders], call: NamedDependency[Call]) -> RemindersView:
    """Replace the clinic's rules and quiet hours."""
    return await set_reminders(data, call.actor, call.begin)


@get(
    "/clinics/{clinic:str}/clients/{client_id:uuid}/channels",
    opt=permitted("patients:read"),
    operation_id="getChannels",
    tags=["Clients"],
)
async def get_channels(client_id: FromPath[UUID], call: NamedDependency[Call]) -> ChannelsView:
    """Over which channels a client wants to be reminded, since when, and how we know."""
    async with call.begin(call.actor) as work:
        return await work.message_reads.channels(client_id)


@put(
    "/clinics/{clinic:str}/clients/{client_id:uuid}/channels",
    opt=permitted("patients:write"),
    operation_id="setChannels",
    tags=["Clients"],
)
async def put_channels(
    client_id: FromPath[UUID], data: JSONBody[Channels], call: NamedDependency[Call]
) -> ChannelsView:
    """Write down over which channels a client agrees to be reminded, or no longer does."""
    return await choose_channels(client_id, data, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/recalls", opt=permitted("patients:read"), operation_id="listRecalls", tags=["Reminders"])
async def list_recalls(
    call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None, patient_id: FromQuery[UUID | None] = None
) -> Page[RecallView]:
    """Patients that should come again, the next first, or the recalls of one."""
    async with call.begin(call.actor) as work:
        return await work.message_reads.recalls(PageRequest(limit, cursor), patient_id)


@post(
    "/clinics/{clinic:str}/recalls",
    opt=permitted("patients:write") | {"check": _recall_errors},
    operation_id="recallPatient",
    tags=["Reminders"],
)
async def post_recall(data: JSONBody[NewRecall], call: NamedDependency[Call]) -> RecallView:
    """Write down that a patient should come again on a day."""
    return await recall_patient(data, call.actor, call.begin, call.ports.clock)


@delete(
    "/clinics/{clinic:str}/recalls/{recall_id:uuid}",
    opt=permitted("patients:write"),
    operation_id="closeRecall",
    tags=["Reminders"],
)
async def delete_recall(recall_id: FromPath[UUID], call: NamedDependency[Call]) -> None:
    """End a recall: the patient came, or need not."""
    await close_recall(recall_id, call.actor, call.begin, call.ports.clock)


@get("/clinics/{clinic:str}/messages", opt=permitted("agenda:read"), operation_id="listMessages", tags=["Reminders"])
async def get_messages(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    channel: FromQuery[Channel | None] = None,
    status: FromQuery[MessageStatus | None] = None,
) -> Page[MessageView]:
    """Messages to clients, the last due first; those that wait to be sent by hand carry the address that opens them."""
    ports = call.ports
    page = PageRequest(limit, cursor)
    return await list_messages(page, channel, status, call.actor, call.begin, ports.clock, ports.writer, ports.by_hand)


@post(
    "/clinics/{clinic:str}/messages/{message_id:uuid}/sent",
    opt=permitted("agenda:write"),
    operation_id="messageSent",
    summary="Message: sent by hand",
    tags=["Reminders"],
    status_code=200,
)
async def post_message_sent(message_id: FromPath[UUID], call: NamedDependency[Call]) -> MessageView:
    """Log that you sent a message that waited."""
    return await mark_sent(message_id, call.actor, call.begin, call.ports.clock)


@post(
    "/clinics/{clinic:str}/messages/{message_id:uuid}/skip",
    opt=permitted("agenda:write"),
    operation_id="messageSkip",
    summary="Message: do not send",
    tags=["Reminders"],
    status_code=200,
)
async def post_message_skip(message_id: FromPath[UUID], call: NamedDependency[Call]) -> MessageView:
    """Take a message that waits off the list, unsent."""
    return await skip(message_id, call.actor, call.begin)


async def _found(token: str, call: Call) -> LinkFound:
    found = await call.ports.directory.link(hash_link(token))
    if found is None:
        raise NotFound
    return found


@get(
    "/portal/opt-outs/{opt_out_token:str}",
    opt=public("The token in a mail is what its reader holds; nobody signs in."),
    operation_id="getOptOut",
    tags=["Portal"],
)
async def get_opt_out(opt_out_token: FromPath[str], call: NamedDependency[Call]) -> OptOutView:
    """Which reminders a link in a mail would end. Mail scanners follow links: this only shows."""
    return await see_opt_out(await _found(opt_out_token, call), call.ports.begin, call.ports.clock)


@post(
    "/portal/opt-outs/{opt_out_token:str}",
    opt=public("The token in a mail is what its reader holds; nobody signs in."),
    operation_id="optOut",
    tags=["Portal"],
    status_code=200,
)
async def post_opt_out(opt_out_token: FromPath[str], call: NamedDependency[Call]) -> OptOutView:
    """End reminders by mail; what a mail program posts by itself (RFC 8058) is taken, too."""
    return await opt_out(await _found(opt_out_token, call), call.ports.begin, call.ports.clock)
