"""An S3 server of moto's with a guard in front, for moto answers whoever asks.

The guard checks signatures and when they end with botocore, which signs by a code of its own.
"""

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.integration.parts.kept_servers import KeptServer

REGION, BUCKET = "auto", "clinics-photos"
KEY_ID, SECRET = "AKIATESTSKEYID", "hush-s3/+secret"

START = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.integration.parts.s3 import serve
serve(int(sys.argv[2]))
"""

WRITTEN = "%Y%m%dT%H%M%SZ"


class S3Server(KeptServer):
    """A server with one empty, private bucket at `endpoint`; what is in it is gone with the server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [sys.executable, "-c", START, str(Path(__file__).parents[3]), "{port}"])
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """botocore's own client, to look behind the store's back."""
        import boto3  # noqa: PLC0415 # slow to import

        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
        )


def serve(port: int) -> None:
    """Serve 127.0.0.1 until killed; in a process of its own, for moto changes how botocore works."""
    from moto.server import create_backend_app  # noqa: PLC0415 # as above
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 # as above
    from werkzeug.test import Client  # noqa: PLC0415 # as above

    class Kept(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections, as real stores do

    moto = create_backend_app("s3")
    assert Client(moto).put(f"/{BUCKET}").status_code == 200

    def guarded(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        refused = refusal(environ, body)
        if not refused:
            return moto(environ, start)
        answer = f"<Error><Code>{refused}</Code></Error>".encode()
        start("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(answer)))])
        return [answer]

    make_server("127.0.0.1", port, guarded, threaded=True, request_handler=Kept).serve_forever()


def refusal(environ: dict[str, Any], body: bytes) -> str:
    """Why S3 would not answer this request; empty where it would."""
    from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth  # noqa: PLC0415 # the server alone needs it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 # as above
    from botocore.credentials import Credentials  # noqa: PLC0415 # as above

    url = urlsplit(environ["RAW_URI"])
    asked = dict(parse_qsl(url.query, keep_blank_values=True))
    by_query = "X-Amz-Signature" in asked
    if by_query:
        signature, names, written = asked["X-Amz-Signature"], asked["X-Amz-SignedHeaders"], asked["X-Amz-Date"]
        credential, life = asked["X-Amz-Credential"], timedelta(seconds=int(asked["X-Amz-Expires"]))
    elif environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4-HMAC-SHA256 "):
        words = dict(each.strip().split("=", 1) for each in environ["HTTP_AUTHORIZATION"].split(" ", 1)[1].split(","))
        signature, names, written = words["Signature"], words["SignedHeaders"], environ["HTTP_X_AMZ_DATE"]
        credential, life = words["Credential"], timedelta(minutes=15)
        if environ.get("HTTP_X_AMZ_CONTENT_SHA256") not in {"UNSIGNED-PAYLOAD", sha256(body).hexdigest()}:
            return "XAmzContentSHA256Mismatch"
    else:
        return "AccessDenied"
    age = datetime.now(UTC) - datetime.strptime(written, WRITTEN).replace(tzinfo=UTC)
    if not -timedelta(minutes=15) < age <= life or life > timedelta(days=7):
        return "AccessDenied"
    if credential != f"{KEY_ID}/{written[:8]}/{REGION}/s3/aws4_request":
        return "InvalidAccessKeyId"
    query = "&".join(each for each in url.query.split("&") if not each.startswith("X-Amz-Signature="))
    headers = {name: _header(environ, name) for name in names.split(";")}
    request = AWSRequest(environ["REQUEST_METHOD"], f"http://{environ['HTTP_HOST']}{url.path}?{query}", headers)
    request.context["timestamp"] = written
    signer = (S3SigV4QueryAuth if by_query else S3SigV4Auth)(Credentials(KEY_ID, SECRET), "s3", REGION)
    right = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return "" if signature == right else "SignatureDoesNotMatch"


def _header(environ: dict[str, Any], name: str) -> str:
    plain = name.upper().replace("-", "_")
    return str(environ.get(f"HTTP_{plain}", environ.get(plain, "")))
