"""Every message and request body of the live server, version 1.

All are JSON objects; identifiers are strings, unique within their kind for a session. Numbers are finite:
what is not known is null. `python -m gridjax.live.schema` prints JSON Schema of all of them.

Authentication, where the server has a token: REST takes `Authorization: Bearer TOKEN`. A WebSocket offers
the subprotocols `gridjax` and `token.TOKEN`, of which the server accepts the first, or sends `Authenticate`
as its first message within five seconds. A token in a query string is not read. The page and its assets need
none: it takes the token from the fragment of its address (`/#token=TOKEN`), which no browser sends.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from gridjax.evaluation.views.messages import VERSION

Number = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Weight = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Severity = Literal["info", "warning", "alarm"]
Lane = Literal["main", "comparison"]


class Closed(BaseModel):
    """Refuses fields that it does not know, and NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Message(Closed):
    """Says of which version of this protocol it is."""

    schema_: Literal["gridjax.live/1"] = Field(VERSION, alias="schema")


# What does not change in a session


class Bus(Closed):
    """A bus, where it is drawn, and its nominal voltage."""

    id: str
    name: str
    x: Number | None  # for drawing only, null where unknown: degrees or any unit, north is up
    y: Number | None
    kv: Number


class Line(Closed):
    """What connects two buses."""

    id: str
    name: str
    source: str  # bus
    target: str  # bus
    kind: Literal["line", "transformer", "switch"]


class Layout(Closed):
    """The grid, as it is drawn."""

    buses: list[Bus]
    lines: list[Line]


class Agent(Closed):
    """An agent and what it has."""

    id: str
    name: str
    group: str
    bus: str | None  # a switch has none
    capacity_kwh: Number | None  # of a battery, null without
    generation_kw_peak: Number | None
    line: str | None = None  # that a switch opens and closes


class Server(Closed):
    """What runs."""

    version: str
    jax: str
    device: str


class Hello(Message):
    """The first message to a viewer."""

    type: Literal["hello"] = "hello"
    server: Server
    session: str  # of this run of the server, or of the task it was last given
    env: str
    network: str
    hours_per_step: Number
    policies: list[str]
    scenarios: list[str]
    days: list[Whole]  # [first, last] that a scenario may name by its number
    state: Status
    weights: dict[str, Number]  # of the reward
    voltage_band: tuple[Number, Number]  # p.u.
    hertz: Number  # most frames per second
    grid: Layout
    agents: list[Agent]
    replayed: bool  # whether the frames that follow take up where the viewer left off


# What changes with every step

AgentStatus = Literal[
    "ok", "importing", "exporting", "charging", "discharging", "shortage", "dark", "running", "off", "open"
]


class AgentNow(Closed):
    """Of the step; null where a kind of agent has no such thing."""

    id: str
    status: AgentStatus
    charge: Annotated[float, Field(ge=0, le=1)] | None  # of the battery, or of the fuel tank, after the step
    energy_kwh: Number | None  # in the battery, after the step
    generation_kw: Number
    demand_kw: Number
    battery_kw: Number  # positive for discharge
    exchange_kw: Number  # with the grid, positive for import; without what goes to and comes from neighbours
    transfer_kw: Number  # net from neighbours
    reactive_kvar: Number | None
    unserved_kw: Number
    voltage: Number | None  # p.u. at its bus
    reward: Number
    cost_eur: Number | None


class Flow(Closed):
    """Power that goes from one end to another."""

    source: str  # line: bus; transfer: agent
    target: str
    kind: Literal["line", "transfer"]
    kw: Number  # line: signed, from source to target at the source; transfer: > 0


class BusColumns(Closed):
    """In the order of `Layout.buses`."""

    voltage: list[Number]  # p.u., 0 where dead
    energised: list[bool]


class LineColumns(Closed):
    """In the order of `Layout.lines`."""

    loading: list[Number | None]  # share of the rating, null where unrated
    kw: list[Number]  # at the source, from source to target
    service: list[bool]  # false: open, or broken


class Connection(Closed):
    """How the grid hangs together."""

    connected: bool  # to the grid outside
    islanded: bool  # live, at least in part, without it
    energised_share: Annotated[float, Field(ge=0, le=1)]  # of the buses of those who are supplied


EventKind = Literal[
    "outage",
    "islanding",
    "reconnection",
    "collapse",
    "unserved",
    "voltage",
    "overload",
    "episode",
    "policy",
    "policy_error",
    "scenario",
    "weights",
    "seed",
    "history",
    "simulation_error",
]


class Event(Closed):
    """Something that happened in a step, or to the server."""

    kind: EventKind
    severity: Severity
    text: str


class LoggedEvent(Event):
    """An event, and the frame that brought it."""

    sequence: Whole
    timestamp: str
    lane: Lane


class Clock(Closed):
    """When a step began."""

    day: Whole  # of the year, 0 is the first of January
    hour: Annotated[float, Field(ge=0, lt=24)]  # when the step began


class Picture(Closed):
    """One step under one policy."""

    policy: str
    stability: Annotated[float, Field(ge=0, le=1)]
    agents: list[AgentNow]
    energy_flows: list[Flow]
    buses: BusColumns
    lines: LineColumns
    # always: stability, mean_energy_kwh, generation_kw, demand_kw, reward, cost_eur, unserved_kwh, losses_kw,
    # voltage_min, voltage_max; frequency_hz, import_price and others where the task has such, else null
    metrics: dict[str, Number | None]
    grid: Connection
    events: list[Event]


class Frame(Message, Picture):
    """One step, and the same step of the comparison where there is one."""

    type: Literal["frame"] = "frame"
    sequence: Whole  # grows by one from frame to frame of a session
    timestamp: str  # ISO 8601, UTC
    step: Whole  # of the episode, 1 after its first step
    episode: Whole
    clock: Clock
    comparison: Picture | None


class Status(Message):
    """Sent whenever it changes."""

    type: Literal["status"] = "status"
    running: bool
    paused: bool
    speed: Number  # steps per second of wall time
    step: Whole
    episode: Whole
    seed: Whole
    policy: str
    comparison: str | None
    scenario: str
    weights: dict[str, Number]
    viewers: Whole
    history_file: bool  # whether frames are written to disk
    error: str | None  # why it stopped, if not by command


class Error(Message):
    """What was wrong with a message, or with the viewer."""

    type: Literal["error"] = "error"
    code: Literal["bad_message", "too_large", "too_many", "unauthorised", "refused"]
    message: str


ServerMessage = Annotated[Hello | Frame | Status | Error, Field(discriminator="type")]


# From viewers to the server, over the WebSocket


class Authenticate(Closed):
    """The first message of a viewer without a subprotocol."""

    type: Literal["authenticate"]
    token: Annotated[str, Field(min_length=1, max_length=200)]


class Resume(Closed):
    """Asks for the kept frames after `since`."""

    type: Literal["resume"]
    since: Whole


class Ping(Closed):
    """Keeps the connection; nothing is answered."""

    type: Literal["ping"]


ViewerMessage = Annotated[Authenticate | Resume | Ping, Field(discriminator="type")]


# Bodies of REST requests


class Start(Closed):
    """Starts, or goes on after a pause; what is given is set before."""

    speed: Speed | None = None
    seed: Whole | None = None


Speed = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class SetSpeed(Closed):
    """Sets how fast steps follow one another."""

    speed: Speed  # steps per second


class SetSeed(Closed):
    """Begins a new episode, drawn from `seed`."""

    seed: Whole


class SetScenario(Closed):
    """A name of `Hello.scenarios`, or a day of the year (a case, in tasks whose cases are no days)."""

    scenario: Name | Whole


class SetPolicy(Closed):
    """Null for the comparison lane ends the comparison."""

    policy: Name | None
    lane: Lane = "main"


class SetWeights(Closed):
    """Those not named stay as they are."""

    weights: Annotated[dict[Name, Weight], Field(min_length=1, max_length=32)]


# Answers to REST requests


class Agents(Closed):
    """All agents, and what they last did."""

    agents: list[Agent]
    grid: Layout
    now: list[AgentNow] | None  # null before the first step


class History(Closed):
    """Frames that are kept."""

    session: str
    first: Whole | None  # kept frames; null: none yet
    last: Whole | None
    frames: list[Frame]


class Events(Closed):
    """What happened in frames that are kept."""

    session: str
    events: list[LoggedEvent]


class Policies(Closed):
    """What may run a lane."""

    policies: list[PolicyInfo]


class PolicyInfo(Closed):
    """A policy to choose."""

    name: str
    kind: Literal["trained", "rule", "checkpoint"]
    text: str  # one line about it


class Checkpoint(Closed):
    """A state of a run in training."""

    policy: str  # name, for `SetPolicy`
    update: Whole
    steps: Whole | None  # of the environment, all together
    best: bool  # in validation so far


class Training(Closed):
    """How a run in training comes along."""

    run: str | None  # name of the run directory; null: none was given
    finished: bool
    checkpoints: list[Checkpoint]
    curves: dict[str, list[list[Number]]]  # per metric, pairs of steps and value


class Health(Closed):
    """Whether the server is up, and ready."""

    status: Literal["ok", "starting", "failed"]
    detail: str | None = None


class Problem(Closed):
    """Why a request was refused."""

    detail: str


for _model in (Hello, Start, Policies):
    _model.model_rebuild()


def json_schema() -> dict[str, Any]:
    """JSON Schema of what servers send, viewers send, and REST takes and gives, in `$defs` by name."""
    taken = (Start, SetSpeed, SetSeed, SetScenario, SetPolicy, SetWeights)
    given = (Agents, History, Events, Policies, Training, Health, Problem)
    parts: dict[str, tuple[Any, Literal["validation", "serialization"]]] = {
        "ServerMessage": (ServerMessage, "serialization"),
        "ViewerMessage": (ViewerMessage, "validation"),
        **{model.__name__: (model, "validation") for model in taken},
        **{model.__name__: (model, "serialization") for model in given},
    }
    found, rest = TypeAdapter.json_schemas(
        [(name, mode, TypeAdapter(part)) for name, (part, mode) in parts.items()], title="gridjax.live"
    )
    roots = {name: found[name, mode] for name, (_, mode) in parts.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": VERSION,
        "roots": roots,
        **rest,
    }


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=1))
