"""Settings that several services share: typed, frozen, read from the environment once, units in names.

Every name has the prefix `DIALSTREAM_`; `.env.example` lists all of them.
"""

from typing import Annotated, Final

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PositiveSeconds = Annotated[float, Field(gt=0)]
# With less than this left of PLACE a carrier request would only end in doubt.
SHORTEST_REQUEST_SECONDS: Final = 0.5


class Settings(BaseSettings):
    """Base of all settings: frozen, and from `DIALSTREAM_*` alone."""

    model_config = SettingsConfigDict(env_prefix="DIALSTREAM_", frozen=True, extra="ignore")


class KafkaSettings(Settings):
    """Where Kafka is and how patiently we wait for it."""

    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers, comma separated.")
    topic_prefix: str = Field("", description="Put before every topic name; lets test runs share a broker.")
    kafka_session_timeout_ms: int = Field(6000, ge=1000, description="A dead consumer is noticed after this.")
    kafka_request_timeout_ms: int = Field(
        5000, ge=1000, description="A broker that accepts a request and does not answer is given up after this."
    )
    instance: str = Field("", description="This process slot's name; gives its Kafka membership a fixed identity.")

    @property
    def brokers(self) -> list[str]:
        """The bootstrap servers one by one, as FastStream wants them; aiokafka splits the text itself."""
        return [broker.strip() for broker in self.kafka.split(",")]


class MongoSettings(Settings):
    """Where MongoDB is."""

    mongodb: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=dialstream&directConnection=true",
        description="Connection string of a replica set (transactions need one).",
    )
    mongodb_database: str = Field("dialstream", description="Database name.")


class StartSettings(Settings):
    """How a service starts."""

    start_deadline_seconds: PositiveSeconds = Field(60, description="Give up and exit when a server is still away.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    http_host: str = Field("127.0.0.1", description="Address that the service's HTTP pages listen on.")
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
    ring_seconds: PositiveSeconds = Field(30, description="How long the carrier lets a phone ring.")
    max_call_seconds: PositiveSeconds = Field(1800, description="The carrier ends a call after this.")
    hold_margin_seconds: PositiveSeconds = Field(60, description="Added to the latest end a call can have.")

    @model_validator(mode="after")
    def _consistent(self) -> "DialingSettings":
        if self.lock_seconds <= self.place_seconds:
            raise ValueError(
                f"DIALSTREAM_LOCK_SECONDS ({self.lock_seconds:g}) must be longer than "
                f"DIALSTREAM_PLACE_SECONDS ({self.place_seconds:g}): a claim must outlive its placement"
            )
        if self.place_seconds < self.gate_ms / 1000 + SHORTEST_REQUEST_SECONDS:
            raise ValueError(
                f"DIALSTREAM_PLACE_SECONDS ({self.place_seconds:g}) must be at least {SHORTEST_REQUEST_SECONDS:g} s "
                f"longer than DIALSTREAM_GATE_MS ({self.gate_ms:g}): no carrier is asked with less time for its answer"
            )
        return self

    @property
    def hold_seconds(self) -> float:
        """From start until no call of this attempt can be up any more."""
        return (
            self.place_seconds
            + self.settle_seconds
            + self.ring_seconds
            + self.max_call_seconds
            + self.hold_margin_seconds
        )


class TelephonySettings(Settings):
    """Which provider places the calls, and its account."""

    telephony_provider: str = Field("twilio", description="`twilio`, or `scripted` (in process, for tests).")
    twilio_base_url: str = Field("https://api.twilio.com", description="Where the provider's REST API is.")
    twilio_account_sid: str = Field("", description="Account SID.")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Auth token; also signs the callbacks.")
    twilio_answer_url: str = Field("", description="Your voice agent: what the carrier asks when a call is answered.")
    twilio_machine_detection: bool = Field(True, description="Ask the carrier to tell people from machines.")
    twilio_callback_retries: int = Field(5, ge=0, le=5, description="How often the carrier repeats a failed callback.")
    callback_base_url: str = Field("", description="How the carrier reaches campaign-api from outside.")
    carrier_connections: int = Field(100, ge=1, description="Requests to the carrier in flight at once.")
    scripted_seed: int = Field(1, description="Scripted calls: the same seed gives every attempt the same fate.")
    scripted_answer_rate: float = Field(0.6, ge=0, le=1, description="Scripted calls: share that is answered.")
    scripted_ring_seconds: float = Field(0.0, ge=0, description="Scripted calls: longest ringing.")
    scripted_talk_seconds: float = Field(0.0, ge=0, description="Scripted calls: longest talk.")
