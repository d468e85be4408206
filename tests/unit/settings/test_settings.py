"""Settings are read from the environment, and everything wrong with them is said at once."""

import os

import pytest

from coravet.settings import Settings, SettingsError, load

DATABASE = "postgresql://coravet_app:hush@db.example/coravet"
PRODUCTION = {
    "CORAVET_ENV": "production",
    "CORAVET_PUBLIC_URL": "https://app.example.com",
    "DATABASE_URL": DATABASE,
    "FIREBASE_PROJECT_ID": "clinic-project",
    "FIREBASE_CREDENTIALS": "/run/secrets/firebase.json",
    "CORAVET_KEPT_APART": "/mnt/apart/coravet",
    "CORAVET_STORAGE": "https://0123.r2.cloudflarestorage.com/clinics",
    "CORAVET_STORAGE_KEY_ID": "key",
    "CORAVET_STORAGE_SECRET": "hush",
    "CORAVET_DOCUMENT_KEY": "one-of-thirty-two-characters-or-more",
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CORAVET_", "DATABASE_", "FIREBASE_", "GOOGLE_", "SENTRY_")):
            monkeypatch.delenv(name)


def _set(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def _problems() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load()
    return caught.value.problems


def _names(problems: list[str]) -> set[str]:
    return {problem.partition(":")[0] for problem in problems}


def test_development_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database is all that development must be told."""
    _set(monkeypatch, DATABASE_URL=DATABASE)
    settings = load()
    assert (settings.environment, settings.port, settings.cookie_secure) == ("development", 8000, False)
    assert settings.direct_url == DATABASE


def test_missing_is_said() -> None:
    """A missing variable is named as it is set, not as the code calls it."""
    assert _problems() == ["DATABASE_URL: is missing"]


def test_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable, as compose files leave them behind, is an unset one."""
    _set(monkeypatch, DATABASE_URL=DATABASE, DATABASE_DIRECT_URL="", CORAVET_PORT="", SENTRY_DSN="")
    settings = load()
    assert (settings.database_direct_url, settings.port, settings.sentry_dsn) == (None, 8000, None)


def test_production_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Production starts with TLS, a real project and its credentials."""
    _set(monkeypatch, **PRODUCTION)
    assert load().cookie_secure


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CORAVET_PUBLIC_URL", "http://app.example.com"),
        ("CORAVET_PUBLIC_URL", None),
        ("FIREBASE_PROJECT_ID", "demo-coravet"),
        ("FIREBASE_PROJECT_ID", None),
        ("FIREBASE_CREDENTIALS", None),
        ("CORAVET_DOCUMENT_KEY", None),
        ("CORAVET_DOCUMENT_KEY", "short"),
        ("CORAVET_KEPT_APART", None),
        ("CORAVET_KEPT_APART", "apart"),
        ("CORAVET_STORAGE", None),
        ("CORAVET_STORAGE", "media"),
        ("CORAVET_STORAGE", "http://0123.r2.cloudflarestorage.com/clinics"),
        ("CORAVET_STORAGE_KEY_ID", None),
        ("CORAVET_STORAGE_SECRET", None),
        ("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099"),
        ("DATABASE_URL", None),
    ],
)
def test_production_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None) -> None:
    """Production refuses the emulator, a demo project, missing credentials and plain HTTP, each by its variable."""
    _set(monkeypatch, **PRODUCTION)
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    assert _names(_problems()) == {variable}


def test_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Malformed fields and production's rules are reported together, one sentence each."""
    _set(
        monkeypatch,
        CORAVET_ENV="production",
        CORAVET_PORT="eighty",
        CORAVET_WORKERS="0",
        DATABASE_URL="mysql://root:hush@db/coravet",
        DATABASE_ROLE_PREFIX="Robert'); --",
        FIREBASE_AUTH_EMULATOR_HOST="127.0.0.1:9099",
    )
    problems = _problems()
    assert _names(problems) == {
        "CORAVET_PORT",
        "CORAVET_WORKERS",
        "CORAVET_PUBLIC_URL",
        "DATABASE_URL",
        "DATABASE_ROLE_PREFIX",
        "FIREBASE_PROJECT_ID",
        "FIREBASE_CREDENTIALS",
        "FIREBASE_AUTH_EMULATOR_HOST",
        "CORAVET_DOCUMENT_KEY",
        "CORAVET_KEPT_APART",
        "CORAVET_STORAGE",
    }
    assert len(problems) == 11


def test_values_stay_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """No problem repeats a value: it may be a password."""
    _set(monkeypatch, DATABASE_URL="mysql://root:hush@db/coravet", SENTRY_EVENTS_PER_HOUR="hush", CORAVET_ENV="hush")
    assert "hush" not in " ".join(_problems())


@pytest.mark.parametrize(
    "value", ["app.example.com", "https://app.example.com/path", "ftp://app.example.com", "https://"]
)
def test_public_url_is_an_origin(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The public address is scheme and host, for cookies and origins are compared with it."""
    _set(monkeypatch, DATABASE_URL=DATABASE, CORAVET_PUBLIC_URL=value)
    assert _names(_problems()) == {"CORAVET_PUBLIC_URL"}


@pytest.mark.parametrize(
    "value",
    [
        "https://",
        "https://store.example",
        "https://store.example/",
        "https://store.example/a/b",
        "https://key:hush@store.example/clinics",
        "https://store.example/clinics?secret=hush",
        "s3://clinics",
        "https://store.example/Clinics",
        "https://store.example/..",
    ],
)
def test_a_bucket_is_a_server_and_a_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Where photos lie is said exactly, and no secret stands in the address."""
    _set(monkeypatch, **PRODUCTION | {"CORAVET_STORAGE": value})
    problems = _problems()
    assert _names(problems) == {"CORAVET_STORAGE"}
    assert "hush" not in " ".join(problems)


def test_a_folder_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos may lie in a folder of the machine, in production in one that was chosen."""
    _set(monkeypatch, **PRODUCTION | {"CORAVET_STORAGE": "/mnt/media/coravet"})
    monkeypatch.delenv("CORAVET_STORAGE_KEY_ID")
    monkeypatch.delenv("CORAVET_STORAGE_SECRET")
    assert load().storage == "/mnt/media/coravet"


def test_origins_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allowed origins are separated by commas; spaces and closing slashes do not count."""
    _set(monkeypatch, DATABASE_URL=DATABASE, CORAVET_ALLOWED_ORIGINS="https://a.example/, https://b.example,")
    assert load().allowed_origins == ("https://a.example", "https://b.example")


def test_every_setting_is_documented() -> None:
    """Each setting has a variable of its own and says what it is for."""
    aliases = [str(field.validation_alias) for field in Settings.model_fields.values()]
    assert len(set(aliases)) == len(aliases)
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("origins", ["*", "https://a.test/path", "a.test", "https://good.test,null"])
def test_an_allowed_origin_is_an_origin(origins: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose pages may change things with a cookie is said exactly: no wildcard, no path, no other scheme."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/x")
    monkeypatch.setenv("CORAVET_ALLOWED_ORIGINS", origins)
    with pytest.raises(SettingsError, match="CORAVET_ALLOWED_ORIGINS"):
        load()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"CORAVET_SMTP_URL": "http://mail.example"}, {"CORAVET_SMTP_URL"}),
        ({"CORAVET_SMTP_URL": "smtps://"}, {"CORAVET_SMTP_URL"}),
        ({"CORAVET_SMTP_URL": "smtps://u:hush@mail.example"}, {"CORAVET_MAIL_FROM"}),
        ({"CORAVET_MAIL_FROM": "Clinic <citas@example.com>"}, {"CORAVET_MAIL_FROM"}),
        ({"CORAVET_PORTAL_URL": "citas.example.com"}, {"CORAVET_PORTAL_URL"}),
        ({"CORAVET_WHATSAPP_PHONE_NUMBER_ID": "12"}, {"CORAVET_WHATSAPP_TOKEN"}),
        ({"CORAVET_WHATSAPP_PHONE_NUMBER_ID": "+593"}, {"CORAVET_WHATSAPP_PHONE_NUMBER_ID"}),
        (
            PRODUCTION | {"CORAVET_SMTP_URL": "smtp://mail.example", "CORAVET_MAIL_FROM": "citas@example.com"},
            {"CORAVET_SMTP_URL"},
        ),
    ],
)
def test_messages(variables: dict[str, str], named: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a mail server or half a WhatsApp account is none, and production's mails travel over TLS."""
    _set(monkeypatch, **{"DATABASE_URL": DATABASE} | variables)
    problems = _problems()
    assert _names(problems) >= named
    assert "hush" not in " ".join(problems)


def test_measures_are_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures have a port of their own, which nobody but this machine reaches unless it is said."""
    _set(monkeypatch, DATABASE_URL=DATABASE, CORAVET_PORT="9000", CORAVET_METRICS_PORT="9000")
    assert _names(_problems()) == {"CORAVET_METRICS_PORT"}
    _set(monkeypatch, CORAVET_METRICS_PORT="9464")
    settings = load()
    assert (settings.metrics_host, settings.metrics_port, settings.worker_metrics_port) == ("127.0.0.1", 9464, None)


def test_channels_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server with a sender, and a portal without the slash at its end."""
    _set(
        monkeypatch,
        DATABASE_URL=DATABASE,
        CORAVET_SMTP_URL="smtp+starttls://u:p%40ss@mail.example:2525",
        CORAVET_MAIL_FROM="citas@example.com",
        CORAVET_PORTAL_URL="https://citas.example.com/cita/",
    )
    settings = load()
    assert (settings.mail_from, settings.portal_url) == ("citas@example.com", "https://citas.example.com/cita")


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis.example",
        "redis://:hush%2F@redis.example:6379/3",
        "redis://[::1]:6379/",
        "rediss://user:hush@redis.example:6380/0?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis.sock",
        "unix://:hush@/run/redis.sock?db=2",
        "nats://nats.example",
        "nats://user:hush@one.example:4222,nats://two.example:4222/",
        "tls://hush@nats.example:4222",
    ],
)
def test_fanouts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What carries announcements is one address, of Redis or of NATS, which no representation of the settings shows."""
    _set(monkeypatch, DATABASE_URL=DATABASE, CORAVET_FANOUT=url)
    settings = load()
    assert settings.fanout is not None
    assert settings.fanout.get_secret_value() == url
    assert "hush" not in repr(settings)
    assert settings.database_name == "coravet"


@pytest.mark.parametrize("url", ["", "postgres"])
def test_postgresql_carries_announcements(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is what there is where nothing else is asked for."""
    _set(monkeypatch, DATABASE_URL=DATABASE, CORAVET_FANOUT=url)
    assert load().fanout is None


@pytest.mark.parametrize(
    "url",
    [
        "hush",
        "postgresql://db.example/hush",
        "redis://",
        "redis://:hush@redis.example:hush",
        "redis://:hush@redis.example:0",
        "redis://:hush@redis.example/hush",
        "redis://:hush@redis.example?decode_responses=true",
        "rediss://:hush@redis.example?ssl_cert_reqs=none",
        "redis://:hush@redis.example?hush",
        "redis://one.example,redis://:hush@two.example",
        "unix://",
        "unix:///run/redis.sock?db=hush",
        "nats://",
        "nats://user:hush@nats.example:99999999",
        "nats://nats.example/hush",
        "nats://nats.example?hush=1",
        "nats://nats.example,redis://:hush@redis.example",
        "nats://nats.example,",
        "ws://hush@nats.example",
    ],
)
def test_no_fanout(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no such address, or asks for more than the service understands, is refused without being repeated."""
    _set(monkeypatch, DATABASE_URL=DATABASE, CORAVET_FANOUT=url)
    problems = _problems()
    assert _names(problems) == {"CORAVET_FANOUT"}
    assert "hush" not in " ".join(problems)
