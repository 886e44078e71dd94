"""A whole run: the cloud, the variants side by side, and nothing left behind."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

from rich.console import Console

from catalog.loader import bundled
from experiments.bill import SharedBill, of_clusters, running
from experiments.emulated import ROOT, EmulatedCloud, own_cloud
from experiments.fault import Fault, Interrupted, Unreachable
from experiments.kube import Kube
from experiments.load import WORKER_CPU
from experiments.order import Order
from experiments.pricing import price_nodes
from experiments.progress import Status, board
from experiments.published import Settings, published
from experiments.reading import Billed, Lists, accounting_of
from experiments.record import EMULATED, GIVEN, LIVE
from experiments.reserve import reserved
from experiments.session import DOCUMENTED, Session
from experiments.side import at_once, available_bytes, run_all, stopped_by_signals
from experiments.stack import Stack

OWN_HOME: Final = "emulator"
_GONE_WITHIN_S: Final = 60.0
_GONE_PERIOD_S: Final = 2.0


def run_emulated(order: Order, console: Console) -> None:
    """Measure on an emulated cloud of the run's own.

    Raises:
        Fault: when something failed; the cloud is stopped by then.
        Interrupted: when the run was asked to stop; the cloud is stopped by then.
    """
    stop = Event()
    with reserved(order.out), stopped_by_signals(stop), board(console, time.monotonic) as shown:
        session = Session(order, shown, stop, EMULATED)
        shown.show("cloud", Status("starts an emulated cloud"))
        with own_cloud(order.out / OWN_HOME, order.serving) as cloud:
            shown.show("cloud", Status("emulated, running"))
            bill = SharedBill(cloud.bill, time.monotonic)
            tasks = {v: _task(_measure_emulated, session, bill, v) for v in order.variants}
            workers = _at_once(order, len(tasks))
            for waiting in order.variants[workers:]:
                shown.show(waiting, Status("waits for memory"))
            run_all(tasks, workers, stop, disposable=True)
            _expect_nothing_running(cloud)
            shown.show("cloud", Status("every stack is destroyed, no instance runs; stops"))
        session.finish()


def _measure_emulated(session: Session, bill: SharedBill, variant: str) -> None:
    with _stops_are_no_faults(session):
        _bring_up_and_measure(session, bill, variant)


@contextmanager
def _stops_are_no_faults(session: Session) -> Iterator[None]:
    """What breaks because the run is being stopped is a consequence, not a fault of its own."""
    try:
        yield
    except Fault as fault:
        if session.stop.is_set():
            raise Interrupted from fault
        raise


def _bring_up_and_measure(session: Session, bill: SharedBill, variant: str) -> None:
    order = session.order
    name = f"{order.cloud}-{variant}"
    say = session.say
    say(variant, "up")("the engine")
    stack = Stack.select(name, Path(os.environ["PULUMI_OPTION_CWD"]), order.out / f"{name}.log")
    serving = _real_models(order.cloud) if order.serves else {}
    stack.configure({**_config(order.settings), **serving, **dict(order.config)})
    outputs = stack.up(say(variant, "up"))
    session.note_declared(variant, stack.state())
    kube = Kube.of_kubeconfig(outputs.kubeconfig)
    names = frozenset({name, outputs.cluster_id})
    session.measure(variant, kube, lambda _: of_clusters(bill.instances(), names))
    stack.destroy(say(variant, "destroy"))
    _await_gone(session, bill, names, variant)
    session.bench.board.show(variant, Status("done"))


def run_live(order: Order, console: Console) -> None:
    """Measure on the real cloud, with the user's engine, credentials and stack files.

    A stack that has resources already is somebody's: it is refused, never touched. What the run
    brought up it destroys, also when it fails or is interrupted.

    Raises:
        Fault: when something failed.
        Interrupted: when the run was asked to stop.
    """
    if order.settings is not None and order.settings.accounting != DOCUMENTED:
        raise Fault(
            f"--published --live: {order.cloud}'s published table needs {order.settings.accounting} accounting,"
            " which real clouds refuse; leave one of the two out"
        )
    stop = Event()
    with reserved(order.out), stopped_by_signals(stop), board(console, time.monotonic) as shown:
        session = Session(order, shown, stop, LIVE)
        stacks = {v: _unused_stack(order, f"{order.cloud}-{v}") for v in order.variants}
        tasks = {v: _task(_measure_live, session, stack, v) for v, stack in stacks.items()}
        run_all(tasks, at_once(len(tasks), available_bytes()), stop, disposable=False)
        session.finish()


def _unused_stack(order: Order, name: str) -> Stack:
    stack = Stack.select(name, ROOT, order.out / f"{name}.log")
    if stack.resources():
        raise Fault(
            f"stack {name}: is up already, and a run destroys what it measures;"
            " measure it as it is with --kubeconfig FILE --variant VARIANT"
        )
    return stack


def _measure_live(session: Session, stack: Stack, variant: str) -> None:
    try:
        with _stops_are_no_faults(session):
            outputs = stack.up(session.say(variant, "up"))
            session.note_declared(variant, stack.state())
            kube = Kube.of_kubeconfig(outputs.kubeconfig)
            session.measure(variant, kube, _by_catalog(session.order.cloud))
    finally:
        stack.destroy(session.say(variant, "destroy"))
    session.bench.board.show(variant, Status("done"))


def run_existing(order: Order, kubeconfig: Path, console: Console) -> None:
    """Measure a cluster that is already there; it is left as it was found, without load.

    Raises:
        Fault: when something failed.
        Interrupted: when the run was asked to stop.
    """
    stop = Event()
    (variant,) = order.variants
    kube = Kube.of_file(kubeconfig)
    with reserved(order.out), stopped_by_signals(stop), board(console, time.monotonic) as shown:
        session = Session(order, shown, stop, GIVEN)
        accounting = accounting_of(_first_lists(kube).nodes)
        if order.settings is not None and order.settings.accounting != accounting:
            raise Fault(
                f"--published: the cluster's accounting is {accounting}, the published table needs"
                f" {order.settings.accounting}"
            )
        session.learn(accounting=accounting)
        tasks = {variant: _task(session.measure, variant, kube, _by_catalog(order.cloud))}
        run_all(tasks, 1, stop, disposable=False)
        session.finish()


def _first_lists(kube: Kube) -> Lists:
    try:
        return kube.lists()
    except Unreachable as error:
        raise Fault(f"--kubeconfig: its cluster does not answer: {error}") from error


def _by_catalog(cloud: str) -> Callable[[Lists], Billed]:
    offerings = bundled(cloud)
    return lambda lists: price_nodes(lists.nodes, offerings)


def _task(action: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    return lambda: action(*arguments)


def _config(settings: Settings | None) -> dict[str, str]:
    if settings is None:
        return {"accounting": DOCUMENTED}
    families = {f"provisioner.families[{i}]": family for i, family in enumerate(settings.families)}
    return {"accounting": settings.accounting, "provisioner.mode": settings.mode, **families}


def _real_models(cloud: str) -> dict[str, str]:
    """The published models, with workers that ask for as little CPU as two cores can give to many."""
    variants = published().clouds[cloud].variants
    config = {}
    for form, variant in (("right_sized", "right-sized"), ("gpu", "max-sized")):
        for model, worker in variants[variant].items():
            path = f"models.{model}.{form}"
            config[f"{path}.cpu"] = WORKER_CPU
            config[f"{path}.memory"] = worker.memory
            config[f"{path}.max_workers"] = str(worker.max_workers)
            config[f"{path}.gpus"] = str(worker.gpus)
    return config


def _at_once(order: Order, variants: int) -> int:
    """How many variants side by side; model servers that answer take one machine's cores for themselves."""
    return 1 if order.serves else at_once(variants, available_bytes())


def _await_gone(session: Session, bill: SharedBill, names: frozenset[str], variant: str) -> None:
    """An instance takes its time to stop after the cloud has forgotten its pool."""
    since = time.monotonic()
    while left := of_clusters(bill.instances(max_age_s=0), names).instances:
        if time.monotonic() - since > _GONE_WITHIN_S:
            raise Fault(
                f"{variant}: {left} instances still run {_GONE_WITHIN_S:.0f} s after its stack was destroyed"
            )
        if session.stop.wait(_GONE_PERIOD_S):
            raise Interrupted


def _expect_nothing_running(cloud: EmulatedCloud) -> None:
    left = running(cloud.bill())
    if left:
        named = ", ".join(f"{instance.shape} of {instance.cluster}" for instance in left)
        raise Fault(f"the bill still shows running instances after every stack was destroyed: {named}")
