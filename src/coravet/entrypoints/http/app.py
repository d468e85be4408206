"""The HTTP application: routes, guards, errors, limits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
from litestar import HttpMethod, Litestar, Response, Router, get
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import HTTPRoute

from coravet.entrypoints.http import (
    calendars,
    clients,
    documents,
    erasures,
    exchange,
    health,
    legal,
    media,
    messaging,
    patients,
    portal,
    privacy_exports,
    privacy_requests,
    records,
    scheduling,
    session,
    tenancy,
    treatments,
    waitlist,
)
from coravet.entrypoints.http.access import UNSAFE, Access, public
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import Ports, provide_call
from coravet.entrypoints.http.docs import page
from coravet.entrypoints.http.openapi import config, document, responses
from coravet.entrypoints.http.problems import EXCEPTION_HANDLERS

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]

API = "/api/v1"
ROUTES: tuple[HTTPRouteHandler, ...] = (
    session.create_session,
    session.get_session,
    session.delete_session,
    legal.list_documents,
    legal.get_document,
    legal.post_acceptance,
    legal.list_acceptances,
    legal.get_acceptance,
    tenancy.open_new_clinic,
    tenancy.list_clinics,
    tenancy.get_clinic,
    tenancy.patch_clinic,
    tenancy.list_members,
    tenancy.patch_member,
    tenancy.list_invitations,
    tenancy.post_invitation,
    tenancy.accept_invitation,
    patients.post_client,
    patients.list_clients,
    patients.get_client,
    patients.patch_client,
    clients.list_cantons,
    clients.post_client_deceased,
    clients.delete_client_deceased,
    clients.list_contacts,
    clients.post_contact,
    clients.delete_contact,
    clients.list_consents,
    clients.post_consent,
    clients.get_duplicates_of_person,
    clients.get_duplicates,
    clients.post_merge,
    clients.list_merges,
    clients.post_undo,
    patients.post_patient,
    patients.list_patients,
    patients.get_patient,
    patients.patch_patient,
    patients.post_deceased,
    patients.delete_deceased,
    patients.get_deceased,
    patients.list_breeds,
    patients.post_transfer,
    patients.list_parties,
    patients.post_party,
    patients.patch_party,
    patients.delete_party,
    patients.list_identifiers,
    patients.post_identifier,
    patients.delete_identifier,
    patients.list_alerts,
    patients.post_alert,
    patients.delete_alert,
    patients.get_search,
    records.post_encounter,
    records.list_encounters,
    records.get_encounter,
    records.patch_encounter,
    records.post_sign,
    records.post_addendum,
    records.post_void_encounter,
    records.post_dismiss_note,
    records.get_timeline,
    records.list_weights,
    records.post_weight,
    records.post_void_weight,
    records.list_problems,
    records.post_problem,
    records.get_problem,
    records.patch_problem,
    records.list_note_templates,
    records.post_note_template,
    records.patch_note_template,
    treatments.list_immunizations,
    treatments.post_immunization,
    treatments.get_immunization,
    treatments.post_immunization_void,
    treatments.list_dewormings,
    treatments.post_deworming,
    treatments.get_deworming,
    treatments.post_deworming_void,
    treatments.list_prescriptions,
    treatments.post_prescription,
    treatments.post_prescription_check,
    treatments.get_prescription,
    treatments.post_prescription_void,
    treatments.list_allergies,
    treatments.post_allergy,
    treatments.post_allergy_resolve,
    treatments.post_allergy_void,
    treatments.get_protocols,
    treatments.put_protocols,
    messaging.get_reminder_rules,
    messaging.put_reminder_rules,
    messaging.get_channels,
    messaging.put_channels,
    messaging.list_recalls,
    messaging.post_recall,
    messaging.delete_recall,
    messaging.get_messages,
    messaging.post_message_sent,
    messaging.post_message_skip,
    messaging.get_opt_out,
    messaging.post_opt_out,
    scheduling.get_agenda,
    scheduling.get_board,
    scheduling.get_availability,
    scheduling.post_appointment,
    scheduling.list_appointments,
    scheduling.get_appointment,
    *scheduling.STEPS,
    scheduling.post_walk_in,
    scheduling.post_reschedule,
    scheduling.post_reassign,
    scheduling.get_history,
    waitlist.list_waitlist,
    waitlist.post_waitlist,
    waitlist.delete_waitlist,
    waitlist.post_offer,
    waitlist.post_accept,
    waitlist.post_decline,
    waitlist.get_portal_offer,
    waitlist.post_portal_accept,
    waitlist.post_portal_decline,
    scheduling.list_services,
    scheduling.post_service,
    scheduling.get_service,
    scheduling.patch_service,
    scheduling.delete_service,
    scheduling.list_resources,
    scheduling.post_resource,
    scheduling.get_resource,
    scheduling.patch_resource,
    scheduling.delete_resource,
    scheduling.get_hours,
    scheduling.put_hours,
    portal.get_services,
    portal.get_availability,
    portal.post_hold,
    portal.delete_hold,
    portal.post_booking,
    portal.get_booking,
    portal.post_confirm,
    portal.post_reschedule,
    portal.post_cancel,
    calendars.get_calendar,
    calendars.post_calendar,
    calendars.delete_calendar,
    calendars.list_holidays,
    documents.get_card,
    documents.get_prescription_sheet,
    documents.get_summary,
    documents.list_documents,
    documents.post_withdraw,
    documents.get_document_state,
    scheduling.list_exceptions,
    scheduling.put_exception,
    scheduling.delete_exception,
    scheduling.list_closures,
    scheduling.post_closure,
    scheduling.get_closure,
    scheduling.patch_closure,
    scheduling.delete_closure,
    exchange.post_import,
    exchange.put_file,
    exchange.get_imports,
    exchange.get_one_import,
    exchange.get_rows,
    exchange.post_apply,
    exchange.delete_import,
    exchange.get_export,
    media.post_photo,
    media.delete_photo,
    media.post_attachment,
    media.get_attachments,
    media.post_void,
    media.post_upload,
    media.put_bytes,
    media.post_arrived,
    media.post_retry,
    media.get_one,
    media.get_variant,
    privacy_exports.post_export,
    privacy_requests.list_requests,
    privacy_requests.post_request,
    privacy_requests.get_request,
    privacy_requests.patch_request,
    erasures.post_erase,
    erasures.list_erasures,
    erasures.get_erasure,
    erasures.get_retention,
    erasures.put_retention,
)


class UndeclaredAccess(Exception):
    """A route does not say who may use it."""


def _declared(handler: BaseRouteHandler) -> None:
    if not isinstance(handler.opt.get("access"), Access):
        raise UndeclaredAccess(f"{handler}: say who may use it with permitted(), signed_in(), operators() or public()")


def _routed(app: Litestar) -> Iterator[BaseRouteHandler]:
    """Every handler that can be reached, but Litestar's own to OPTIONS, which the guards refuse."""
    for route in app.routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else [route.route_handler]:
            if not (isinstance(handler, HTTPRouteHandler) and handler.http_methods == {HttpMethod.OPTIONS}):
                yield handler


@get("/api/v1/openapi.json", opt=public("The contract is no secret."), include_in_schema=False, sync_to_thread=False)
def openapi_json(state: State) -> Response[bytes]:
    """The OpenAPI document."""
    return Response(state.openapi, media_type="application/json", headers={"Cache-Control": "max-age=300"})


@get("/docs", opt=public("The contract is no secret."), include_in_schema=False, sync_to_thread=False)
def api_docs(state: State) -> Response[str]:
    """The API for people."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(state.docs, media_type="text/html", headers=headers)


def build(ports: Ports, *, routes: Sequence[HTTPRouteHandler] = (), lifespan: Sequence[Lifespan] = ()) -> Litestar:
    """The application on these ports.

    Args:
        routes: further ones under the API's base, such as the event stream's.
        lifespan: what starts before the first request and ends after the last.

    Raises:
        UndeclaredAccess: a route does not say who may use it.
    """
    handlers = [*health.probes(documented=True), *ROUTES, *routes]
    outside = [*health.probes(documented=False), openapi_json, api_docs, documents.show_document_state]
    for handler in handlers:
        _declared(handler)
        changes = bool(UNSAFE & {str(method) for method in handler.http_methods})
        handler.responses = {
            **responses(dict(handler.opt), handler.fn.__module__, changes=changes),
            **(handler.responses or {}),
        }
    app = Litestar(
        route_handlers=[Router(API, route_handlers=handlers), *outside],
        guards=[ports.guards()],
        dependencies={"call": Provide(provide_call)},
        request_class=JsonRequest,
        request_max_body_size=ports.max_body_bytes,
        exception_handlers=EXCEPTION_HANDLERS,
        cors_config=CORSConfig(
            allow_origins=sorted(ports.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["content-type", "idempotency-key", "last-event-id", "x-request-id"],
            expose_headers=["idempotency-replayed", "retry-after", "x-request-id"],
            allow_credentials=True,
        ),
        openapi_config=config(ports.cookie),
        lifespan=list(lifespan),
        state=State({"ports": ports}),
        logging_config=None,
        debug=False,
    )
    for routed in _routed(app):
        _declared(routed)
    described = document(app)
    app.state.openapi = msgspec.json.encode(described)
    app.state.docs = page(described)
    return app
