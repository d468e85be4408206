"""Pages of an allowed origin may use the API with their cookie; pages of any other may not read an answer."""

import pytest
from tests.integration.http.service import Service


@pytest.mark.parametrize("origin", ["https://evil.test", "null"])
async def test_pages_of_other_sites_are_not_let_in(service: Service, origin: str) -> None:
    """A browser asks before it sends a change across origins; another site's page gets no leave."""
    asked = await service.client.options(
        "/api/v1/session", headers={"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    )
    assert "access-control-allow-origin" not in asked.headers
    read = await service.ask("GET", "/health/live", headers={"Origin": origin})
    assert "access-control-allow-origin" not in read.headers


async def test_pages_of_an_allowed_origin_are(service: Service) -> None:
    """They get leave to send a change with their cookie, and may read the answer."""
    origin = service.settings.public_url
    asked = await service.client.options(
        "/api/v1/clinics/any/clients",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, idempotency-key",
        },
    )
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == origin
    assert asked.headers["access-control-allow-credentials"] == "true"
    read = await service.ask("GET", "/health/live", headers={"Origin": origin})
    assert read.headers["access-control-allow-origin"] == origin
