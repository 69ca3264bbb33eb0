"""Settings: one frozen tree, read once from a YAML file and the environment.

`config.yaml` beside this file shows every key with its default. A variable `SCOREBOARD__SERVER__PORT=9000` replaces
`server.port`. Whatever cannot be used raises `ConfigError`, one line that names the key.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from scoreboard.errors import BadRequest, ConfigError
from scoreboard.model import ActionRule, BoardId, BoardSettings
from scoreboard.periods import check
from scoreboard.secrets import load_secret
from scoreboard.settings_file import parse_yaml, read_tree, wants_text

MIN_SECRET_BYTES = 32
POSTGRES_SCHEMES = ("postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")
PREFIX = "SCOREBOARD__"

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0, le=366 * 86_400)]
FrameAncestor = Annotated[str, Meta(pattern=r"^(\*|'self'|https?://[A-Za-z0-9.*:-]+)$")]
SomeSeconds = Annotated[float, Meta(gt=0, le=366 * 86_400)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a part of the settings."""


class ServerSettings(Section, frozen=True, kw_only=True):
    """Where the server listens and whom it trusts."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    environment: Literal["development", "production"] = "development"
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    frame_ancestors: tuple[FrameAncestor, ...] = ()
    shutdown_s: SomeSeconds = 10
    access_log: bool = False
    reuse_port: bool = False


class DataSettings(Section, frozen=True, kw_only=True):
    """Where files are kept."""

    dir: Annotated[str, Meta(min_length=1)] = "./data"


class DatabaseSettings(Section, frozen=True, kw_only=True):
    """The system of record; an empty `url` is the file `scoreboard.db` in the data folder."""

    url: str = ""
    replica_url: str = ""
    connections: Annotated[int, Meta(ge=2, le=100)] = 8
    replica_lag_s: SomeSeconds = 2
    history_days: Count = 0
    audit_days: Count = 0
    sqlite_writer: Literal["auto", "process", "thread"] = "auto"


class RedisSettings(Section, frozen=True, kw_only=True):
    """What replicas share besides the database; without a `url` the server is alone."""

    url: str = ""
    prefix: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.\-]+\Z")] = "scoreboard"


class SecuritySettings(Section, frozen=True, kw_only=True):
    """Secrets (as files), tokens and registration."""

    secret_file: str = ""
    previous_secret_files: tuple[str, ...] = ()
    issuer: Annotated[str, Meta(min_length=1)] = "scoreboard"
    audience: Annotated[str, Meta(min_length=1)] = "scoreboard"
    access_ttl_s: Positive = 900
    refresh_ttl_s: Positive = 30 * 86_400
    refresh_grace_s: Count = 10
    registration: Literal["open", "closed"] = "open"
    password_queue: Positive = 64


class LimitSettings(Section, frozen=True, kw_only=True):
    """How often and how large; a count of 0 means no limit."""

    requests_per_minute: Count = 600
    registrations_per_hour: Count = 10
    logins_per_minute: Count = 20
    password_tries: Count = 5
    sockets_per_address: Count = 50
    sockets_per_player: Count = 10
    player_writes_per_minute: Count = 120
    key_requests_per_minute: Count = 60_000
    messages_per_minute: Count = 600
    concurrent_requests: Count = 1000
    concurrent_exports: Count = 4
    max_body_bytes: Positive = 65_536
    max_batch_bytes: Positive = 4_194_304


class LiveSettings(Section, frozen=True, kw_only=True):
    """The WebSocket: times, caps and who may open one."""

    tick_ms: Annotated[int, Meta(ge=1, le=60_000)] = 100
    ping_s: SomeSeconds = 25
    pong_s: SomeSeconds = 10
    auth_s: SomeSeconds = 5
    inactive_s: Seconds = 300
    close_s: Seconds = 900
    stall_s: SomeSeconds = 10
    drain_s: Seconds = 5
    max_subscriptions: Positive = 32
    max_message_bytes: Annotated[int, Meta(ge=1024)] = 16_384
    max_in_flight: Positive = 16
    history_versions: Count = 20
    upgrades_per_s: Count = 500
    spectators_idle_out: bool = True
    origins: tuple[str, ...] = ()


class PipelineSettings(Section, frozen=True, kw_only=True):
    """How submissions are batched, and how long a commit may take."""

    batch_max: Positive = 256
    queue_max: Positive = 10_000
    outbox_after_s: SomeSeconds = 2
    commit_timeout_s: SomeSeconds = 10
    audit_s: Seconds = 60


class AlertSettings(Section, frozen=True, kw_only=True):
    """When to alert, and where; a number of 0 means never. The `webhook_url` may be a secret."""

    webhook_url: Annotated[str, Meta(pattern=r"^(https?://\S+)?\Z")] = ""
    every_s: SomeSeconds = 900
    look_s: Seconds = 10
    faults_per_minute: Count = 1
    refused_per_minute: Count = 100
    held_per_minute: Count = 100
    arrears_s: Seconds = 30


class WebhookSettings(Section, frozen=True, kw_only=True):
    """Where webhooks may lead."""

    private_addresses: bool = False


class LoggingSettings(Section, frozen=True, kw_only=True):
    """What is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"


def _default_boards() -> dict[BoardId, BoardSettings]:
    return {"main": BoardSettings(title="Main", operator="sum", actions={"coin": ActionRule(max_score=100)})}


class Settings(Section, frozen=True, kw_only=True):
    """Everything an operator decides. `boards` are made at the first start and then live in the database."""

    server: ServerSettings = ServerSettings()
    data: DataSettings = DataSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    security: SecuritySettings = SecuritySettings()
    limits: LimitSettings = LimitSettings()
    live: LiveSettings = LiveSettings()
    pipeline: PipelineSettings = PipelineSettings()
    alerts: AlertSettings = AlertSettings()
    webhooks: WebhookSettings = WebhookSettings()
    logging: LoggingSettings = LoggingSettings()
    boards: dict[BoardId, BoardSettings] = field(default_factory=_default_boards)


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a file, with what the variables in `environ` replace. Raises ConfigError.

    The file is `path`, else `$SCOREBOARD_CONFIG`, else the packaged one.
    """
    chosen = path or (Path(environ["SCOREBOARD_CONFIG"]) if environ.get("SCOREBOARD_CONFIG") else None)
    tree = parse_yaml(_text_of(chosen), str(chosen or "config.yaml")) or {}
    if isinstance(tree, dict):
        for name in sorted(environ):
            if name.startswith(PREFIX):
                _replace(tree, name, environ[name])
    settings = read_tree(tree, Settings)
    _check(settings)
    return settings


def with_options(
    settings: Settings, *, host: str | None = None, port: int | None = None, data: str | None = None
) -> Settings:
    """The settings with what was said on the command line in place of theirs."""
    server = msgspec.structs.replace(
        settings.server,
        host=settings.server.host if host is None else host,
        port=settings.server.port if port is None else port,
    )
    folder = settings.data if data is None else DataSettings(dir=data)
    return msgspec.structs.replace(settings, server=server, data=folder)


def without_secrets(settings: Settings) -> Settings:
    """The settings as they may be shown: URLs without passwords, and of the webhook's only the host."""
    database, redis, alerts = settings.database, settings.redis, settings.alerts
    return msgspec.structs.replace(
        settings,
        database=msgspec.structs.replace(
            database, url=_without_password(database.url), replica_url=_without_password(database.replica_url)
        ),
        redis=msgspec.structs.replace(redis, url=_without_password(redis.url)),
        alerts=msgspec.structs.replace(alerts, webhook_url=re.sub(r"(?<=[^:/])/.*", "/***", alerts.webhook_url)),
    )


def _without_password(url: str) -> str:
    return re.sub(r"(?<=://)([^/@]*):[^/]*@", r"\1:***@", url)


def is_scaled_out(settings: Settings) -> bool:
    """Whether PostgreSQL and Redis are used, so that there may be several servers."""
    return bool(settings.redis.url)


def tells_private_addresses(settings: Settings) -> bool:
    """Whether webhooks may lead to this machine and its network: on a laptop they do."""
    return settings.webhooks.private_addresses or settings.server.environment == "development"


def database_path(settings: Settings) -> Path:
    """The SQLite file."""
    if settings.database.url:
        return Path(settings.database.url.removeprefix("sqlite://"))
    return Path(settings.data.dir) / "scoreboard.db"


def make_data_folder(settings: Settings) -> None:
    """Make the data folder, for this user only, if it is not there yet. Raises ConfigError."""
    try:
        Path(settings.data.dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise ConfigError(f"data.dir: cannot make {settings.data.dir}: {fault.strerror}") from None


def check_production(settings: Settings) -> None:
    """In production, refuse what is only convenient on a laptop; anywhere else do nothing."""
    if settings.server.environment != "production":
        return
    _check_secret(settings.security.secret_file)
    for name, origins in (
        ("server.cors_origins", settings.server.cors_origins),
        ("live.origins", settings.live.origins),
    ):
        if "*" in origins:
            raise ConfigError(f'{name}: "*" is not allowed in production; list the origins')
    for proxies in settings.server.trusted_proxies:
        if ipaddress.ip_network(proxies, strict=False).prefixlen == 0:
            raise ConfigError(f"server.trusted_proxies: {proxies} trusts everyone, which is not allowed in production")
    if not _writable(Path(settings.data.dir)):
        raise ConfigError(f"data.dir: {settings.data.dir} cannot be written")


def _text_of(path: Path | None) -> str:
    source = path or resources.files("scoreboard").joinpath("config.yaml")
    try:
        return source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "not UTF-8"
        raise ConfigError(f"{source}: cannot be read: {reason}") from None


def _replace(tree: Any, name: str, text: str) -> None:
    """Put a variable's value into the tree, unparsed where text is wanted."""
    steps = name.removeprefix(PREFIX).lower().split("__")
    for step in steps[:-1]:
        if not isinstance(tree.get(step), dict):
            tree[step] = {}
        tree = tree[step]
    tree[steps[-1]] = text if wants_text(Settings, steps) else parse_yaml(text, name)


def _check(settings: Settings) -> None:
    """What the types of the settings cannot say."""
    _check_proxies(settings.server.trusted_proxies)
    _check_backends(settings)
    for board, board_settings in settings.boards.items():
        try:
            check(board_settings)
        except BadRequest as fault:
            raise ConfigError(f"boards.{board}: {fault}") from None


def _check_proxies(proxies: tuple[str, ...]) -> None:
    try:
        for network in proxies:
            ipaddress.ip_network(network, strict=False)
    except ValueError as fault:
        raise ConfigError(f"server.trusted_proxies: {fault}") from None


def _check_backends(settings: Settings) -> None:
    """The databases' URLs. None is quoted whole: it may hold a password."""
    scheme, _, rest = settings.database.url.partition("://")
    if settings.database.url and scheme not in POSTGRES_SCHEMES and (scheme != "sqlite" or not rest.startswith("/")):
        raise ConfigError(
            "database.url: sqlite:///path/to/file and postgresql://user@host/name are understood, "
            f"this begins with {scheme[:20]}"
        )
    if is_scaled_out(settings) != (scheme in POSTGRES_SCHEMES):
        raise ConfigError("database.url and redis.url: PostgreSQL and Redis are used together; name both or neither")
    redis_scheme = settings.redis.url.partition("://")[0]
    if settings.redis.url and redis_scheme not in REDIS_SCHEMES:
        raise ConfigError(f"redis.url: begins with none of {', '.join(REDIS_SCHEMES)}")
    if settings.database.replica_url and settings.database.replica_url.partition("://")[0] not in POSTGRES_SCHEMES:
        raise ConfigError("database.replica_url: must begin with postgresql://")
    if is_scaled_out(settings) and not settings.security.secret_file:
        raise ConfigError("security.secret_file: must be set, and hold the same for all servers that share a database")
    if settings.server.reuse_port and not is_scaled_out(settings):
        raise ConfigError("server.reuse_port: only servers that share PostgreSQL and Redis can share a port")


def _check_secret(secret_file: str) -> None:
    if not secret_file:
        raise ConfigError("security.secret_file: must be set in production")
    length = len(load_secret(Path(secret_file)))
    if length < MIN_SECRET_BYTES:
        raise ConfigError(f"security.secret_file: {secret_file} holds {length} bytes; {MIN_SECRET_BYTES} are needed")


def _writable(folder: Path) -> bool:
    """Whether the folder, or the nearest that exists above it, takes files."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
