"""Every setting of the service: typed, documented, and checked together at boot.

Each field is read from the environment variable of its alias. `load` reports all that is wrong at once.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Environment = Literal["development", "test", "production"]


LIMIT = r"^(off|[1-9][0-9]{0,5}/(second|minute|hour|day)(;[1-9][0-9]{0,5}/(second|minute|hour|day))*)$"
"""How often, in the words of the library that counts."""

DEVELOPMENT_KEY = "no secret: it makes the documents of development and tests"

LEGAL = Path(__file__).parents[2] / "legal"
"""Where legal texts lie: at the top of a checkout, and at the same place in the container."""


def _env(name: str) -> AliasChoices:
    return AliasChoices(name)


def _in_production(info: ValidationInfo) -> bool:
    return info.data.get("environment") == "production"


def _is_redis(text: str) -> bool:
    """Whether it is an address of Redis that says where, which database and by whose certificates, and no more."""
    url = urlsplit(text)
    asked = parse_qs(url.query, keep_blank_values=True, strict_parsing=True) if url.query else {}
    if url.scheme == "unix":
        return (
            bool(url.path.strip("/")) and set(asked) <= {"db"} and all(_is_number(each[0]) for each in asked.values())
        )
    certificates = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"} if url.scheme == "rediss" else set()
    number = url.path.removeprefix("/")
    return (
        url.scheme in {"redis", "rediss"}
        and bool(url.hostname)
        and url.port != 0
        and set(asked) <= certificates
        and (not number or _is_number(number))
    )


def _is_nats(text: str) -> bool:
    """Whether it is an address of NATS."""
    url = urlsplit(text)
    return (
        url.scheme in {"nats", "tls"} and bool(url.hostname) and url.port != 0 and not url.path.strip("/") + url.query
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,5}", text) is not None


class Settings(BaseSettings):
    """The service's settings; every problem with them is one `ValidationError`, see `load`."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True, validate_default=True
    )

    # First, because the validators of the others look at it.
    environment: Environment = Field(
        "development", validation_alias=_env("CORAVET_ENV"), description="`production` switches every safeguard on."
    )
    host: str = Field("127.0.0.1", validation_alias=_env("CORAVET_HOST"), description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, validation_alias=_env("CORAVET_PORT"), description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, validation_alias=_env("CORAVET_WORKERS"), description="Server processes.")
    metrics_host: str = Field(
        "127.0.0.1",
        validation_alias=_env("CORAVET_METRICS_HOST"),
        description="Address on which measures are served; whoever reaches it reads them.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        validation_alias=_env("CORAVET_METRICS_PORT"),
        description="Port of the server's measures, for Prometheus; unset: nothing is measured.",
    )
    worker_metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        validation_alias=_env("CORAVET_WORKER_METRICS_PORT"),
        description="The same for a worker.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        validation_alias=_env("CORAVET_PUBLIC_URL"),
        description="Address at which browsers reach the service; `https` makes the cookie `__Host-` and Secure.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_env("CORAVET_ALLOWED_ORIGINS"),
        description="Other origins that may change things with a session cookie, comma-separated.",
    )
    max_body_bytes: int = Field(
        1_048_576, ge=1024, validation_alias=_env("CORAVET_MAX_BODY_BYTES"), description="A larger body is 413."
    )

    database_url: SecretStr = Field(
        validation_alias=_env("DATABASE_URL"),
        description="PostgreSQL as the application's role; may point at a transaction pooler.",
    )
    database_direct_url: SecretStr | None = Field(
        None,
        validation_alias=_env("DATABASE_DIRECT_URL"),
        description="The same role past any pooler: LISTEN needs a kept connection. Default: DATABASE_URL.",
    )
    database_admin_url: SecretStr | None = Field(
        None,
        validation_alias=_env("DATABASE_ADMIN_URL"),
        description="For `coravet migrate`: a role that may create roles, or the owner role itself.",
    )
    database_role_prefix: str = Field(
        "coravet",
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        validation_alias=_env("DATABASE_ROLE_PREFIX"),
        description="Roles are <prefix>_owner, <prefix>_app and <prefix>_system.",
    )
    database_pool_size: int = Field(
        10,
        ge=2,
        le=200,
        validation_alias=_env("DATABASE_POOL_SIZE"),
        description="Connections a process keeps; an import takes two.",
    )
    database_statement_cache: int = Field(
        200,
        ge=0,
        validation_alias=_env("DATABASE_STATEMENT_CACHE"),
        description="Prepared statements a connection keeps; 0 behind a transaction pooler.",
    )

    fanout: SecretStr | None = Field(
        None,
        validation_alias=_env("CORAVET_FANOUT"),
        description="What tells all processes of events: a redis://, rediss://, unix://, nats:// or tls:// URL. "
        "Default: postgres.",
    )

    firebase_project_id: str = Field(
        "demo-coravet", min_length=1, validation_alias=_env("FIREBASE_PROJECT_ID"), description="Firebase project."
    )
    firebase_credentials: Path | None = Field(
        None,
        validation_alias=AliasChoices("FIREBASE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"),
        description="Path of the service account's JSON file.",
    )
    firebase_auth_emulator_host: str | None = Field(
        None,
        validation_alias=_env("FIREBASE_AUTH_EMULATOR_HOST"),
        description="host:port of the Auth emulator; refused in production.",
    )
    session_days: int = Field(
        5, ge=1, le=14, validation_alias=_env("CORAVET_SESSION_DAYS"), description="Life of a session cookie."
    )

    worker_jobs: int = Field(
        10, ge=2, le=100, validation_alias=_env("CORAVET_WORKER_JOBS"), description="Jobs that a worker does at a time."
    )
    worker_silence_seconds: int = Field(
        30,
        ge=1,
        validation_alias=_env("CORAVET_WORKER_SILENCE_SECONDS"),
        description="A worker not heard of for so long is dead: others take up its jobs.",
    )
    worker_grace_seconds: int = Field(
        20,
        ge=0,
        validation_alias=_env("CORAVET_WORKER_GRACE_SECONDS"),
        description="How long jobs may go on after SIGTERM; what is left is done by the next worker.",
    )
    portal_url: str | None = Field(
        None,
        validation_alias=_env("CORAVET_PORTAL_URL"),
        description="Address below which links in messages open, as <address>/<token>. Default: the service's own API.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        validation_alias=_env("CORAVET_SMTP_URL"),
        description="Mail server, smtps:// or smtp+starttls://, with user and password; unset: mails are skipped.",
    )
    mail_from: str | None = Field(
        None,
        validation_alias=_env("CORAVET_MAIL_FROM"),
        description="Address that mails come from; needed with CORAVET_SMTP_URL.",
    )
    whatsapp_phone_number_id: str | None = Field(
        None,
        pattern=r"^[0-9]{1,32}$",
        validation_alias=_env("CORAVET_WHATSAPP_PHONE_NUMBER_ID"),
        description="Number of a WhatsApp business account; unset: staff send messages by hand.",
    )
    whatsapp_token: SecretStr | None = Field(
        None,
        validation_alias=_env("CORAVET_WHATSAPP_TOKEN"),
        description="The account's access token; needed with CORAVET_WHATSAPP_PHONE_NUMBER_ID.",
    )
    whatsapp_api_url: str = Field(
        "https://graph.facebook.com/v23.0",
        validation_alias=_env("CORAVET_WHATSAPP_API_URL"),
        description="WhatsApp Cloud API.",
    )
    whatsapp_templates: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]{1,64}$",
        validation_alias=_env("CORAVET_WHATSAPP_TEMPLATES"),
        description="What the names of approved templates begin with, before the message's kind; unset: plain text.",
    )

    picture_helpers: int = Field(
        1,
        ge=1,
        le=32,
        validation_alias=_env("CORAVET_PICTURE_HELPERS"),
        description="Pictures that a process converts at a time, each in a helper process.",
    )
    picture_megabytes: int = Field(
        1024,
        ge=256,
        validation_alias=_env("CORAVET_PICTURE_MEGABYTES"),
        description="Memory of a helper; a picture that needs more is refused as too large.",
    )
    picture_seconds: int = Field(
        10,
        ge=1,
        le=300,
        validation_alias=_env("CORAVET_PICTURE_SECONDS"),
        description="Seconds of the processor that a picture gets; one that needs more is refused as too large.",
    )

    document_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_KEY),
        min_length=32,
        validation_alias=_env("CORAVET_DOCUMENT_KEY"),
        description="Secret by which the QR codes of documents are made; a new one makes every reprint a new document.",
    )

    kept_apart: Path = Field(
        Path(".coravet/apart"),
        validation_alias=_env("CORAVET_KEPT_APART"),
        description="Folder for what must outlive the database; in production on another machine, see operations.md.",
    )

    storage: str = Field(
        ".coravet/media",
        validation_alias=_env("CORAVET_STORAGE"),
        description="Where photos and files lie: a folder, or https://<server>/<bucket> of R2 or any S3.",
    )
    storage_key_id: str | None = Field(
        None,
        validation_alias=_env("CORAVET_STORAGE_KEY_ID"),
        description="Id of the bucket's access key; needed where CORAVET_STORAGE is a bucket.",
    )
    storage_secret: SecretStr | None = Field(
        None,
        validation_alias=_env("CORAVET_STORAGE_SECRET"),
        description="Secret of the bucket's access key; needed where CORAVET_STORAGE is a bucket.",
    )
    storage_region: str = Field(
        "auto", validation_alias=_env("CORAVET_STORAGE_REGION"), description="The bucket's region; R2 has but `auto`."
    )

    legal: Path = Field(
        LEGAL,
        validation_alias=_env("CORAVET_LEGAL"),
        description="Folder of the legal texts, <slug>/<version>.<locale>.md.",
    )

    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_env("CORAVET_TRUSTED_PROXIES"),
        description="Addresses or networks of proxies whose X-Forwarded-For is believed, comma-separated.",
    )
    guests_per_address: str = Field(
        "10/minute;60/hour",
        pattern=LIMIT,
        validation_alias=_env("CORAVET_GUESTS_PER_ADDRESS"),
        description="How often guests may hold or book from one address; `off` for no limit.",
    )
    guests_per_clinic: str = Field(
        "60/minute;600/hour",
        pattern=LIMIT,
        validation_alias=_env("CORAVET_GUESTS_PER_CLINIC"),
        description="How often guests may hold or book in one clinic; `off` for no limit.",
    )
    guests_per_phone: str = Field(
        "10/hour;20/day",
        pattern=LIMIT,
        validation_alias=_env("CORAVET_GUESTS_PER_PHONE"),
        description="How often guests may book in one clinic with one phone; `off` for no limit.",
    )
    guests_reading: str = Field(
        "120/minute",
        pattern=LIMIT,
        validation_alias=_env("CORAVET_GUESTS_READING"),
        description="How often guests may ask what is free from one address, in each process; `off` for no limit.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=_env("CORAVET_LOG_LEVEL"), description="Least level that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", validation_alias=_env("CORAVET_LOG_FORMAT"), description="auto: readable in a terminal, else JSON."
    )
    sentry_dsn: SecretStr | None = Field(
        None, validation_alias=_env("SENTRY_DSN"), description="Errors are reported there; unset: nowhere."
    )
    sentry_events_per_hour: int = Field(
        20, ge=0, validation_alias=_env("SENTRY_EVENTS_PER_HOUR"), description="Ceiling a process keeps to."
    )
    sentry_traces_sample_rate: float = Field(
        0.0, ge=0.0, le=1.0, validation_alias=_env("SENTRY_TRACES_SAMPLE_RATE"), description="Share of traced requests."
    )

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError("must be addresses or networks such as 10.0.0.0/8") from None
        return value

    @field_validator("metrics_port")
    @classmethod
    def _internal(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value == info.data.get("port"):
            raise ValueError("must be another port than CORAVET_PORT: measures are not for the public")
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
            raise ValueError("must be an origin such as https://app.example.com, without a path")
        return value.rstrip("/")

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cls._absolute(origin) for origin in value)

    @field_validator("database_url", "database_direct_url", "database_admin_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("fanout")
    @classmethod
    def _known_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or value.get_secret_value() == "postgres":
            return None
        urls = value.get_secret_value().split(",")
        try:
            known = _is_redis(urls[0]) if len(urls) == 1 else False
            known = known or all(_is_nats(each) for each in urls)
        except ValueError:  # it says what it could not read, which may be a password
            known = False
        if not known:
            raise ValueError(
                "must be postgres, redis://host:6379/0, rediss://host:6379/0, unix:///path/of/socket?db=0, "
                "or nats://host:4222 or tls://host:4222, of several servers with commas between them"
            )
        return value

    @field_validator("portal_url", "whatsapp_api_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise ValueError("must be an address such as https://citas.example.com/cita")
        return None if value is None else value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        url = urlsplit(value.get_secret_value())
        if url.scheme not in {"smtps", "smtp+starttls", "smtp"} or not url.hostname:
            raise ValueError("must begin with smtps://, smtp+starttls:// or smtp:// and name a server")
        if url.scheme == "smtp" and _in_production(info):
            raise ValueError("must be smtps:// or smtp+starttls:// in production: mails hold links that act")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("smtp_url") is not None:
            raise ValueError("is missing, and CORAVET_SMTP_URL needs it")
        if value is not None and not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", value, re.ASCII):
            raise ValueError("must be a mail address such as citas@example.com")
        return value

    @field_validator("whatsapp_token")
    @classmethod
    def _whatsapp(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("whatsapp_phone_number_id") is not None:
            raise ValueError("is missing, and CORAVET_WHATSAPP_PHONE_NUMBER_ID needs it")
        return value

    # Production's rules stand on the fields, so that a malformed field elsewhere does not hide them.

    @field_validator("public_url")
    @classmethod
    def _tls_in_production(cls, value: str, info: ValidationInfo) -> str:
        if _in_production(info) and not value.startswith("https://"):
            raise ValueError("must be https in production")
        return value

    @field_validator("firebase_project_id")
    @classmethod
    def _real_project_in_production(cls, value: str, info: ValidationInfo) -> str:
        if _in_production(info) and value.startswith("demo-"):
            raise ValueError("is a demo project, which production refuses")
        return value

    @field_validator("firebase_credentials")
    @classmethod
    def _credentials_in_production(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if _in_production(info) and value is None:
            raise ValueError("is missing, and production needs it")
        return value

    @field_validator("document_key")
    @classmethod
    def _secret_in_production(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if _in_production(info) and value.get_secret_value() == DEVELOPMENT_KEY:
            raise ValueError("is missing, and production needs it: 32 random characters or more")
        return value

    @field_validator("kept_apart")
    @classmethod
    def _chosen_in_production(cls, value: Path, info: ValidationInfo) -> Path:
        # An absolute path shows that somebody chose it, for the default is none.
        if _in_production(info) and not value.is_absolute():
            raise ValueError(
                "is missing, and production needs it: the absolute path of a folder out of the database's reach"
            )
        return value

    @field_validator("storage")
    @classmethod
    def _folder_or_bucket(cls, value: str, info: ValidationInfo) -> str:
        if "://" not in value:
            # As with the register: an absolute path was chosen.
            if _in_production(info) and not Path(value).is_absolute():
                raise ValueError(
                    "is missing, and production needs it: https://<server>/<bucket>, or the absolute path of a folder"
                )
            return value
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/?", value):
            raise ValueError("must be a folder, or https://<server>/<bucket> with nothing before or after them")
        if _in_production(info) and not value.startswith("https://"):
            raise ValueError("must be https in production")
        return value.rstrip("/")

    @field_validator("storage_key_id", "storage_secret")
    @classmethod
    def _key_of_bucket(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        if value is None and "://" in info.data.get("storage", ""):
            raise ValueError("is missing, and the bucket of CORAVET_STORAGE needs it")
        return value

    @field_validator("firebase_auth_emulator_host")
    @classmethod
    def _no_emulator_in_production(cls, value: str | None, info: ValidationInfo) -> str | None:
        if _in_production(info) and value is not None:
            raise ValueError("must be unset in production: the emulator accepts any signature")
        return value

    @property
    def direct_url(self) -> str:
        """Where LISTEN goes: the direct URL, or the only one there is."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    @property
    def database_name(self) -> str:
        """The name of the database, as DATABASE_URL says it."""
        return unquote(urlsplit(self.database_url.get_secret_value()).path.removeprefix("/"))

    @property
    def cookie_secure(self) -> bool:
        """Whether browsers reach the service over TLS."""
        return self.public_url.startswith("https://")


class SettingsError(Exception):
    """Settings that cannot be used; `problems` holds one sentence each, naming the variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def load(given: Mapping[str, object] = MappingProxyType({})) -> Settings:
    """Read the settings from the environment, but for those that are given.

    Raises:
        SettingsError: with every problem found, each naming its variable and never its value.
    """
    try:
        return Settings.model_validate(dict(given))  # the environment fills in what is not given
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            name = _variable(str(item["loc"][0]))
            message = "is missing" if item["type"] == "missing" else item["msg"].removeprefix("Value error, ")
            problems.append(f"{name}: {message}")
        raise SettingsError(problems) from error


def _variable(name: str) -> str:
    """The variable of a field; pydantic names the field itself where its default is at fault."""
    field = Settings.model_fields.get(name)
    alias = field.validation_alias if field is not None else None
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else name
