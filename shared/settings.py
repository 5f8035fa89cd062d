"""Settings that several services share: typed, frozen, read from the environment once, units in names.

Every name has the prefix `DIALSTREAM_`; `.env.example` lists all of them. A value that cannot work is refused;
one that can and hardly ever should is a doubt, which the service writes into its log when it starts.
"""

from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain import setting_rules as rules
from shared.domain.call_limits import CallLimits

DAY_SECONDS: Final = 86_400
# With less than this left of PLACE a carrier request would only end in doubt.
SHORTEST_REQUEST_SECONDS: Final = 0.5
# Twilio's limits of an order's Timeout and TimeLimit.
LONGEST_RINGING_SECONDS: Final = 600
LONGEST_CALL_SECONDS: Final = 14_400
# Kafka's own limit, unless its `group.max.session.timeout.ms` says otherwise.
LONGEST_SESSION_MS: Final = 1_800_000


def _usable(secret: SecretStr) -> SecretStr:
    if not rules.is_usable_secret(secret.get_secret_value()):
        raise ValueError("must be printable ASCII without white space or line ends, and has others (it is not shown)")
    return secret


def _secret_key(secret: SecretStr | None) -> SecretStr | None:
    # An empty variable is how Compose and shells leave one out.
    if secret is None or not secret.get_secret_value():
        return None
    rules.secret_key_texts(secret.get_secret_value())
    return secret


PositiveSeconds = Annotated[float, Field(gt=0, le=DAY_SECONDS, allow_inf_nan=False)]
Secret = Annotated[SecretStr, AfterValidator(_usable)]
SecretKey = Annotated[SecretStr | None, AfterValidator(_secret_key)]
BaseUrl = Annotated[str, AfterValidator(rules.base_url)]
WholeUrl = Annotated[str, AfterValidator(rules.whole_url)]


class Settings(BaseSettings):
    """Base of all settings: frozen, and from `DIALSTREAM_*` alone."""

    model_config = SettingsConfigDict(env_prefix="DIALSTREAM_", frozen=True, extra="ignore", allow_inf_nan=False)

    def doubts(self) -> list[str]:
        """What can work and is hardly meant, a sentence each: to be written into the log at the start."""
        return []


class KafkaSettings(Settings):
    """Where Kafka is and how patiently we wait for it."""

    kafka: Annotated[str, AfterValidator(rules.kafka_addresses)] = Field(
        "127.0.0.1:9092", description="Bootstrap servers, host:port each, comma separated."
    )
    topic_prefix: Annotated[str, AfterValidator(rules.topic_prefix)] = Field(
        "", description="Put before every topic name; lets test runs share a broker."
    )
    kafka_session_timeout_ms: int = Field(
        6000, ge=1000, le=LONGEST_SESSION_MS, description="A dead consumer is noticed after this."
    )
    kafka_request_timeout_ms: int = Field(
        5000,
        ge=1000,
        le=600_000,
        description="A broker that accepts a request and does not answer is given up after this.",
    )
    instance: Annotated[str, AfterValidator(rules.instance)] = Field(
        "", description="This process slot's name; gives its Kafka membership a fixed identity."
    )

    @property
    def brokers(self) -> list[str]:
        """The bootstrap servers one by one, as FastStream wants them; aiokafka splits the text itself."""
        return [broker.strip() for broker in self.kafka.split(",")]


class MongoSettings(Settings):
    """Where MongoDB is."""

    mongodb: Annotated[str, AfterValidator(rules.mongodb_address)] = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=dialstream&directConnection=true",
        description="Connection string of a replica set (transactions need one).",
    )
    mongodb_database: Annotated[str, AfterValidator(rules.mongodb_name)] = Field(
        "dialstream", description="Database name."
    )

    def doubts(self) -> list[str]:
        """A connection string that does not say which replica set it means."""
        if rules.names_replica_set(self.mongodb):
            return super().doubts()
        return [
            "DIALSTREAM_MONGODB names no replica set, and transactions need one: add replicaSet=NAME to its options",
            *super().doubts(),
        ]


class SecretSettings(Settings):
    """What stored secrets are encrypted with."""

    secret_key: SecretKey = Field(
        None,
        description="Encrypts stored secrets; at least 32 characters. Several, comma separated: the newest first.",
    )


class FileSettings(Settings):
    """Where the bytes of files are: in MongoDB, or in the bucket that is named here."""

    s3_bucket: str = Field("", description="Keeps files; empty: MongoDB keeps them.")
    s3_endpoint: BaseUrl = Field("", description="Where that bucket's S3 is; empty: Amazon's, in the region.")
    s3_public_endpoint: BaseUrl = Field("", description="The same for customers, where they reach it elsewhere.")
    s3_region: str = Field("us-east-1", min_length=1, description="The bucket's region.")
    s3_access_key_id: str = Field("", description="Access key; empty: what AWS_* and the machine's own role say.")
    s3_secret_access_key: Secret = Field(SecretStr(""), description="Its secret.")

    @model_validator(mode="after")
    def _whole_access_key(self) -> "FileSettings":
        if bool(self.s3_access_key_id) != bool(self.s3_secret_access_key.get_secret_value()):
            raise ValueError(
                "DIALSTREAM_S3_ACCESS_KEY_ID and DIALSTREAM_S3_SECRET_ACCESS_KEY belong together: set both, or none"
            )
        return self


class ReceiverSettings(Settings):
    """Where webhooks may go."""

    webhook_private_addresses: bool = Field(
        False, description="Webhooks may go to private addresses, by http too; leave it off where customers are others."
    )


class StartSettings(Settings):
    """How a service starts."""

    start_deadline_seconds: PositiveSeconds = Field(60, description="Give up and exit when a server is still away.")
    log_level: Annotated[str, AfterValidator(rules.log_level)] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    http_host: str = Field(
        "127.0.0.1", min_length=1, description="Address that the service's HTTP pages listen on; 0.0.0.0 is all."
    )
    http_port: int = Field(0, ge=0, le=65535, description="Port of the service's HTTP pages; 0 takes a free one.")


class DialingSettings(Settings):
    """The time limits of the dialing protocol, the same for schedulers and executors (docs/architecture.md).

    `lock_seconds` must be longer than `place_seconds`: a claim must not expire under an executor that is
    still allowed to place the call.
    """

    lock_seconds: PositiveSeconds = Field(30, description="A claimed contact nobody started returns after this.")
    place_seconds: PositiveSeconds = Field(10, description="From start to the end of the carrier request.")
    settle_seconds: PositiveSeconds = Field(30, description="'No such call' counts only after place + settle.")
    gate_ms: PositiveSeconds = Field(250, description="The last look before a call is never older than this.")
    ring_seconds: float = Field(
        30, gt=0, le=LONGEST_RINGING_SECONDS, description="How long the carrier lets a phone ring, 600 at most."
    )
    max_call_seconds: float = Field(
        1800, gt=0, le=LONGEST_CALL_SECONDS, description="The carrier ends a call after this, 14,400 at most."
    )
    hold_margin_seconds: PositiveSeconds = Field(60, description="Added to the latest end a call can have.")

    @model_validator(mode="after")
    def _consistent(self) -> "DialingSettings":
        wrong = []
        if self.lock_seconds <= self.place_seconds:
            wrong.append(
                f"DIALSTREAM_LOCK_SECONDS ({self.lock_seconds:g}) must be longer than "
                f"DIALSTREAM_PLACE_SECONDS ({self.place_seconds:g}): a claim must outlive its placement"
            )
        if self.place_seconds < self.gate_ms / 1000 + SHORTEST_REQUEST_SECONDS:
            wrong.append(
                f"DIALSTREAM_PLACE_SECONDS ({self.place_seconds:g}) must be at least {SHORTEST_REQUEST_SECONDS:g} s "
                f"longer than DIALSTREAM_GATE_MS ({self.gate_ms:g}): no carrier is asked with less time for its answer"
            )
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    @property
    def call_limits(self) -> CallLimits:
        """The limits of a call whose configuration sets none."""
        around = self.place_seconds + self.settle_seconds + self.hold_margin_seconds
        return CallLimits(self.ring_seconds, self.max_call_seconds, around)

    @property
    def hold_seconds(self) -> float:
        """From start until no call of this attempt can be up any more."""
        return self.call_limits.hold_seconds


class TelephonySettings(Settings):
    """Which provider places the calls, and its account."""

    telephony_provider: str = Field("twilio", description="`twilio`, or `scripted` (in process, for tests).")
    twilio_base_url: BaseUrl = Field("https://api.twilio.com", description="Where the provider's REST API is.")
    twilio_account_sid: Annotated[str, AfterValidator(rules.account_sid)] = Field("", description="Account SID.")
    twilio_auth_token: Secret = Field(SecretStr(""), description="Auth token; also signs the callbacks.")
    twilio_answer_url: WholeUrl = Field(
        "", description="Your voice agent: what the carrier asks when a call is answered."
    )
    twilio_machine_detection: bool = Field(True, description="Ask the carrier to tell people from machines.")
    twilio_callback_retries: int = Field(5, ge=0, le=5, description="How often the carrier repeats a failed callback.")
    callback_base_url: BaseUrl = Field("", description="How the carrier reaches campaign-api from outside.")
    account_base_urls: Annotated[str, AfterValidator(rules.base_urls)] = Field(
        "", description="Carriers' base URLs that customers' telephony accounts may name, comma separated."
    )
    carrier_connections: int = Field(100, ge=1, le=10_000, description="Requests to the carrier in flight at once.")
    scripted_seed: int = Field(1, description="Scripted calls: the same seed gives every attempt the same fate.")
    scripted_answer_rate: float = Field(0.6, ge=0, le=1, description="Scripted calls: share that is answered.")
    scripted_ring_seconds: float = Field(0.0, ge=0, le=DAY_SECONDS, description="Scripted calls: longest ringing.")
    scripted_talk_seconds: float = Field(0.0, ge=0, le=DAY_SECONDS, description="Scripted calls: longest talk.")

    @property
    def allowed_base_urls(self) -> frozenset[str]:
        """The base URLs that a customer's telephony account may name; without one it has the operator's."""
        return frozenset(rules.each_url(self.account_base_urls))

    @property
    def rings_real_phones(self) -> bool:
        """Whether the calls go to Twilio itself, and not to something that speaks like it."""
        host = urlsplit(self.twilio_base_url).hostname or ""
        return self.telephony_provider == "twilio" and f".{host}".endswith(".twilio.com")

    def doubts(self) -> list[str]:
        """What the real Twilio cannot reach or does not know."""
        found = super().doubts()
        if not self.rings_real_phones:
            return found
        urls = {
            "DIALSTREAM_TWILIO_ANSWER_URL": self.twilio_answer_url,
            "DIALSTREAM_CALLBACK_BASE_URL": self.callback_base_url,
        }
        for name, url in urls.items():
            host = urlsplit(url).hostname
            if host is not None and _is_private(host):
                found.append(f"{name} names {host}, which Twilio cannot reach: write an address of the internet")
        sid = self.twilio_account_sid
        if sid and not rules.is_twilio_sid(sid):
            found.append(
                f"DIALSTREAM_TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits at Twilio, and has {len(sid)} "
                "characters: copy it from Twilio's console"
            )
        return found


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host
