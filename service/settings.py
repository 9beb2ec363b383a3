"""Every bound and path of the service with its default and its reason, each an environment variable HEED_….

Knows nothing of what the values are used for. Only entry points read it; everyone else takes plain arguments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from service.settings_files import FileSettings
from service.settings_search import SearchSettings


def _names(value: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


class Settings(FileSettings, SearchSettings):
    """HEED_PORT=9000 sets `port`, and so on."""

    model_config = SettingsConfigDict(env_prefix="HEED_", extra="forbid")

    host: str = Field("127.0.0.1", description="Own machine only, until somebody decides otherwise.")
    port: int = Field(8000, ge=0, le=65535, description="Where uvicorn listens by habit; 0 takes a free one.")
    max_connections: int = Field(
        12288, ge=16, description="At once, 20 kB each; beyond, who has kept us waiting longest goes, not who comes."
    )
    max_head_bytes: int = Field(
        32 * 1024, ge=1024, description="Request line and headers: four times what browsers and proxies send."
    )
    max_head_fields: int = Field(100, ge=10, description="Headers of a request; browsers send about twenty.")
    head_seconds: float = Field(
        10.0, gt=0, le=600, description="For a head to arrive. A slow line needs one second, a slow loris hours."
    )
    stalled_seconds: float = Field(
        30.0, gt=0, le=3600, description="A client that reads nothing of its answer for so long is cut off."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses or networks whose X-Forwarded-For is believed: nobody's, since anybody can write it.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Sites whose pages may ask from a browser, as https://example.org; * is every site."
    )
    dialect_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",),
        description="The same for the routes of LibreTranslate and DeepL: every site, as their clients in browsers "
        "expect; no cookie opens anything here, a page has the keys that it was given.",
    )

    keys_file: Path | None = Field(
        None, description="API keys, made by `python -m service keys`; read again when it changes."
    )
    keys_required: bool = Field(
        False, description="Refuse who shows no key. Off, since the host is this machine alone."
    )
    rate_storage: str = Field(
        "memory://", description="Where limits are counted; redis://HOST:PORT if several servers share them."
    )
    rate_requests_key: str | None = Field(
        None, description="Requests of a key that has no limit of its own, as 600/minute;20/second."
    )
    rate_rows_key: str | None = Field(None, description="Beam rows of such a key, as 20000/minute: what work costs.")
    rate_requests_address: str | None = Field(
        None, description="Requests without a key, by address. Off: behind a proxy everybody may have the same one."
    )
    rate_rows_address: str | None = Field(None, description="Beam rows without a key, by address; off as above.")

    zoo: Path = Field(Path("zoo"), description="The folder of bundles, one folder each; `make serve` runs beside it.")
    models: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None,
        description="`name` (its newest version) or `name@version`, between commas; unset: the newest of every name. "
        "The first of a task is its default; the first version of a name is what that name means.",
    )
    model_memory_mb: int | None = Field(
        None, ge=1, description="Resident MiB that all models may take in all engines together; unset: no bound."
    )
    load_seconds: float = Field(
        120.0, gt=0, le=3600, description="Loading and warming takes seconds; an engine that takes longer hangs."
    )
    admin_host: str = Field("127.0.0.1", description="As `host`, for those who change models.")
    admin_port: int | None = Field(
        None, ge=0, le=65535, description="Where models are changed, apart from where work is asked; unset: nowhere."
    )
    link: Literal["process", "local"] = Field(
        "process", description="Engines in processes of their own are replaced when they die; local is one process."
    )
    engines: int = Field(
        2, ge=1, le=64, description="Worker processes: two of one core each do a third more than one of two cores."
    )
    threads: int = Field(
        1, ge=1, le=256, description="Cores of each engine: engines × threads are never more than the container has."
    )
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda:\d+)$", description="A GPU if this onnxruntime has CUDA, else the CPU."
    )
    precision: Literal["auto", "int8", "fp32", "fp16"] = Field(
        "auto", description="int8 on CPUs, 3 to 5 times fp32 at < 0.3 BLEU; fp16 on GPUs, where the bundle has it."
    )

    rows: int = Field(
        256, ge=1, le=65536, description="Beam rows stepped together a model: 51 requests of 5 beams, in 12 ms."
    )
    cells: int = Field(
        65536,
        ge=64,
        le=2**26,
        description="Padded memory positions seated together a model: 256 pictures, or 512 texts of 128 pieces.",
    )
    patience_seconds: float = Field(
        2.0, gt=0, le=3600, description="Who waited so long is seated before anybody else, urgent or small or not."
    )
    queue: int = Field(
        1280, ge=1, le=1048576, description="Beam rows that wait for a seat; beyond, a quick 429 beats a slow answer."
    )
    max_requests: int = Field(
        128, ge=1, le=65536, description="Requests held at once: times max_body_bytes, it bounds memory."
    )
    target_seconds: float | None = Field(
        None, gt=0, le=3600, description="Requests are let in if those inside leave in this time, at the recent pace."
    )
    max_streams: int = Field(
        128, ge=1, le=65536, description="Streams at once; fewer than max_requests leaves places to others."
    )
    desk_threads: int = Field(
        2, ge=1, le=256, description="Threads that cut text, decode pictures and draw maps beside the engine."
    )
    heartbeat_seconds: float = Field(
        5.0, gt=0, le=600, description="A worker silent for so long is stuck and replaced, well before people leave."
    )
    max_attempts: int = Field(
        3, ge=1, le=100, description="Workers that may die at one job before that job is taken to be the reason."
    )
    deadline_seconds: float = Field(30.0, gt=0, le=3600, description="People leave after 30 s; the slot is free then.")
    drain_seconds: float = Field(
        20.0, ge=0, le=3600, description="Kubernetes kills 30 s after SIGTERM; this leaves a margin."
    )
    ping_seconds: float = Field(
        15.0, gt=0, le=3600, description="A silent stream says so this often: proxies close it after 30 to 60 s."
    )

    metrics: Literal["public", "admin", "off"] = Field(
        "public", description="Who gets /metrics: everybody who gets in, the admin listener alone, or nobody."
    )
    traces: Literal["auto", "on", "off"] = Field(
        "auto", description="OpenTelemetry spans: auto sends them if OTEL_EXPORTER_OTLP_ENDPOINT says where to."
    )
    log_format: Literal["text", "json"] = Field("text", description="A record a line: to be read, or to be searched.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="info has a line for each request; warning only what somebody should look at."
    )

    max_body_bytes: int = Field(16 * 2**20, ge=1024, description="A 12 MB photograph in base64, and not more.")
    max_text_body_bytes: int = Field(
        2 * 2**20, ge=1024, description="Where no picture goes in: 64 texts of 5000 characters are 1 MB in Chinese."
    )
    body_seconds: float = Field(60.0, gt=0, le=3600, description="For a body to arrive: 12 MB at 2 Mbit/s takes 50 s.")
    max_bodies_bytes: int = Field(
        256 * 2**20,
        ge=1024,
        description="Of all bodies that still arrive; beyond, the longest on their way are let go.",
    )
    fetch_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts (or .suffixes) to fetch pictures from over https; by default none is fetched at all."
    )
    fetch_seconds: float = Field(10.0, gt=0, le=600, description="For one picture to come, redirects and all.")
    picture_formats: Annotated[tuple[str, ...], NoDecode] = Field(
        ("JPEG", "PNG", "WEBP", "GIF"),
        description="What cameras and browsers write; each decoder more (BMP, TIFF) is one more to attack.",
    )
    max_pixels: int = Field(40_000_000, ge=1, description="A 40-megapixel camera; decoded that is 120 MB for a moment.")
    max_whole_pixels: int = Field(
        16_000_000,
        ge=1,
        description="Of PNG, WebP and GIF, which are decoded whole: two 4K screens, 300 MB a moment.",
    )
    max_texts: int = Field(
        64, ge=1, description="Texts a request: about one full table, so that others get a seat too."
    )
    max_compared: int = Field(
        16, ge=1, le=256, description="Models a comparison, asked one after the other: all of the zoo."
    )
    max_text_characters: int = Field(
        200_000, ge=1, description="A text of 30,000 words; its sentences are translated one by one."
    )
    max_sentences: int = Field(
        4096, ge=1, le=2**20, description="Of all texts of a request: three times those of 20,000 words; 10 kB each."
    )
    max_held_sentences: int = Field(
        16384, ge=1, le=2**24, description="Of all requests at once: their pieces and maps take 160 MB."
    )
    window: int = Field(
        640,
        ge=1,
        le=1048576,
        description="Beam rows of one request in the engines at a time, or all of `queue`: two tables, and some wait.",
    )
    sentence_seconds: float = Field(
        0.25, ge=0, le=60, description="Added to the deadline for each sentence: whoever sends a book waits for it."
    )
    max_beam_size: int = Field(
        16, ge=1, le=32, description="Beyond 10 beams translations get worse (Koehn & Knowles 2017)."
    )
    max_n_best: int = Field(16, ge=1, le=32, description="A beam holds no more finished answers than it has rows.")
    max_alternatives: int = Field(
        10, ge=0, le=64, description="Most probable pieces told of a step: people look at five; each costs answer."
    )
    max_glossary: int = Field(
        1000, ge=0, le=100_000, description="Terms a request: a product's glossary; a sentence is searched for all."
    )
    max_length: int = Field(
        256, ge=2, le=4096, description="Pieces of an answer; the model's own limit holds below it."
    )

    ray_address: str | None = Field(
        None,
        description="A cluster to join; auto: the one this machine is of. Unset, and RAY_ADDRESS too: one is made.",
    )
    ray_engines: str = Field(
        "*=2",
        description="Engines on the cluster, MODEL+MODEL@DEVICE=LEAST-MOST; … : models of each, cpu, gpu or gpu:SHARE, "
        "how many. MODEL is a name (all its versions), one version, or `*`: every model. With two, one may die.",
    )
    ray_target_rows: int = Field(
        256,
        ge=1,
        le=1048576,
        description="Beam rows an engine has, seated and waiting, before there is another: a table.",
    )
    ray_upscale_seconds: float = Field(
        3.0, ge=0, le=3600, description="So long must engines be too few: a burst that is over sooner needs none."
    )
    ray_downscale_seconds: float = Field(
        120.0, ge=0, le=86400, description="So long must engines be too many: to load one again takes seconds."
    )
    ray_fronts: int = Field(
        2, ge=1, le=64, description="Processes that speak HTTP: if the only one dies, nobody is answered for seconds."
    )
    ray_front_cpus: float = Field(
        0.0,
        ge=0,
        le=64,
        description="Cores set aside for each front; none, as in `serve`, where it sits beside engines.",
    )
    ray_front_resource: str | None = Field(
        None, description="Fronts and the directory stand only on nodes with this Ray resource; unset: on any."
    )
    ray_proxies: Literal["EveryNode", "HeadOnly"] = Field(
        "EveryNode", description="Where Serve listens: a balancer before every node outlives any of them."
    )

    @field_validator("models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (_names(value) or None) if isinstance(value, str) else value

    @field_validator(
        "trusted_proxies", "cors_origins", "dialect_origins", "fetch_hosts", "picture_formats", mode="before"
    )
    @classmethod
    def _listed(cls, value: object) -> object:
        return _names(value) if isinstance(value, str) else value

    @field_validator("rate_requests_key", "rate_rows_key", "rate_requests_address", "rate_rows_address")
    @classmethod
    def _limit(cls, value: str | None) -> str | None:
        if value:
            from limits import parse_many  # late: it takes 0.1 s, and few need it

            parse_many(value)  # ValueError says what is wrong with it
        return value or None

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.keys_required and self.keys_file is None:
            raise ValueError("keys_required needs a keys_file")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """The biggest legal request must fit, or it would wait for ever."""
        if self.max_texts * self.max_beam_size > self.queue:
            asked = f"max_texts ({self.max_texts}) texts of max_beam_size ({self.max_beam_size}) rows"
            raise ValueError(f"{asked} do not fit a queue of {self.queue} rows")
        if self.max_beam_size > self.window:
            raise ValueError(f"a beam of max_beam_size ({self.max_beam_size}) does not fit the window ({self.window})")
        if self.max_beam_size > self.rows:
            raise ValueError(f"a beam of max_beam_size ({self.max_beam_size}) does not fit rows ({self.rows})")
        if self.metrics == "admin" and self.admin_port is None:
            raise ValueError("metrics are for the admin listener, and there is none: set admin_port")
        if self.max_n_best > self.max_beam_size:
            raise ValueError(f"max_n_best ({self.max_n_best}) is more than max_beam_size ({self.max_beam_size})")
        return self
