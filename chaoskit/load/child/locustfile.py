"""A user's own locustfile: loaded, its users prepared as Locust prepares them, its requests kept.

Code of others runs here, so this process is not used for another load afterwards.
"""

import random
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import locust
from locust import FastHttpUser, User, argument_parser
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from chaoskit import clock
from chaoskit.load.child.load import CannotDrive
from chaoskit.load.child.locust_requests import LocustRequests
from chaoskit.load.child.record import LoadRecord
from chaoskit.load.child.tallies import Tallies
from chaoskit.load.child.users import Users
from chaoskit.load.closed import LocustfilePlan
from chaoskit.load.steady import UserGate

T = TypeVar("T")

_TRACE_LINES = 20
#: Exceptions in tasks that are noted one by one; all of them stand in the log.
_ERRORS_NOTED = 20


def locustfile_users(
    plan: LocustfilePlan,
    tallies: Tallies,
    gate: UserGate,
    record: LoadRecord,
    on_stopping: Callable[[], None],
) -> Users:
    """The users of the locustfile. Raises `CannotDrive` when it cannot be run."""
    random.seed(f"{plan.load_id}/{plan.seed}")
    environment = _environment(plan, record)
    name, port = plan.address
    requests = LocustRequests(
        load_id=record.load_id,
        entry=f"{name}:{port}",
        tallies=tallies,
        gate=gate,
        record=record.request,
        warn=lambda text: record.note("warning", text),
    )
    users = Users(
        environment,
        count=plan.users,
        spawn_rate_per_s=plan.spawn_rate_per_s,
        drain_s=plan.drain_s,
        max_run_s=plan.max_run_s,
        in_flight=lambda: requests.in_flight,
        unserved=lambda: gate.unserved(clock.now_ns()),
        on_stopping=on_stopping,
        on_late=tallies.late,
        on_user_error=_errors_into(record),
    )
    for session in (HttpSession, FastHttpSession):
        requests.watch(session)
    events: Any = environment.events  # Locust's events have no types
    events.request.add_listener(_heard(requests.on_request, users.fail))
    events.init.fire(environment=environment, runner=environment.runner, web_ui=None)
    return users


def _environment(plan: LocustfilePlan, record: LoadRecord) -> Environment:
    path = Path(plan.path)
    if not path.is_file():
        raise CannotDrive("there is no such locustfile", seen=plan.path, next_step="name a file")
    classes, shapes = _told(f"{path.name} could not be loaded", lambda: load_locustfile(plan.path))
    chosen = _chosen(classes, plan)
    options = _told(
        f"the options that {path.name} adds are not usable",
        lambda: argument_parser.get_parser(default_config_files=[]).parse_args(
            ["--headless", "--users", str(plan.users), "--host", plan.host]
        ),
    )
    record.note(
        "info",
        f"users of {path.name}: {', '.join(each.__name__ for each in chosen)}; connections, "
        "time-outs and redirects (followed by default) are the locustfile's own",
    )
    if any(issubclass(each, FastHttpUser) for each in chosen):
        record.note(
            "warning",
            "a FastHttpUser sends a request again, unseen, when its kept connection breaks "
            "(geventhttpclient): such failures are not on record",
        )
    if shapes:
        record.note("warning", f"the LoadTestShape of {path.name} is not used: users and rate are")
    return _told(
        f"the users of {path.name} cannot be run",
        lambda: Environment(
            user_classes=chosen,
            events=locust.events,
            host=plan.host,
            locustfile=path.name,
            parsed_options=options,
        ),
    )


def _chosen(classes: dict[str, type[User]], plan: LocustfilePlan) -> list[type[User]]:
    found = ", ".join(sorted(classes)) or "none"
    if not classes:
        raise CannotDrive(
            f"{Path(plan.path).name} has no User class that can be run",
            seen="no class derived from User, or only abstract ones",
            next_step="see Locust's documentation on writing a locustfile",
        )
    missing = sorted(set(plan.user_classes) - classes.keys())
    if missing:
        raise CannotDrive(
            f"{Path(plan.path).name} has no User class {', '.join(missing)}",
            seen=f"User classes in it: {found}",
            next_step="name some of these",
        )
    return [each for name, each in classes.items() if name in (plan.user_classes or classes)]


def _told(problem: str, do: Callable[[], T]) -> T:
    """Do it; whatever a locustfile raises meanwhile, SystemExit too, is told to the driver."""
    try:
        return do()
    except BaseException as error:
        lines = traceback.format_exc().splitlines()[-_TRACE_LINES:]
        raise CannotDrive(
            problem, seen="\n".join(lines), next_step="run it with Locust alone first"
        ) from error


def _heard(listener: Callable[..., None], fail: Callable[[BaseException], None]) -> Any:
    """A listener whose exceptions end the load; Locust would only log them."""

    def hear(**event: Any) -> None:
        try:
            listener(**event)
        except Exception as error:
            fail(error)

    return hear


def _errors_into(record: LoadRecord) -> Callable[[BaseException], None]:
    """Notes each kind of exception that tasks end with, once; the log has them all."""
    noted: set[str] = set()

    def note(exception: BaseException) -> None:
        text = f"a task ended with {type(exception).__name__}: {exception}"
        if text not in noted and len(noted) < _ERRORS_NOTED:
            noted.add(text)
            record.note("warning", text)

    return note
