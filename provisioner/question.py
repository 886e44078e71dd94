"""What `plan` and `explain` are asked: one source of pods, a catalog, a policy, completed and read.

A source is files, a live cluster (read, never written), or a recorded decision. Options that cannot
go together are wrong usage; what cannot be read is a fault in plain lines.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import typer

from catalog.allocatable import ACCOUNTINGS, CLOUDS, DOCUMENTED, NOMINAL
from catalog.loader import bundled, load
from catalog.offering import ARCHITECTURES
from provisioner import files, record, startup
from provisioner.core import owned, recommend
from provisioner.core.attached import attached
from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL, Policy
from provisioner.core.recommend import Recommendation
from provisioner.core.regions import kept_to_regions
from provisioner.core.snapshot import Snapshot
from provisioner.core.storage import placed
from provisioner.core.usage import Usage
from provisioner.kube import Kube, Observed
from provisioner.settings import PolicySettings, parse_policy

_REPLAYED: Final = ("nodes", "policy", "cloud", "catalog", "mode", "accounting", "deadline_s")
"""Options that a recorded decision has settled."""
_SETTLED: Final = ("cloud", "catalog", "accounting")
"""Options that the controller's whole settings have settled."""
_HOME: Final = {"oke": "us-ashburn-1", "gke": "us-central1"}
"""The region of the project's own catalogs that is planned for where nothing names one."""
_NO_CAP: Final = 10**9


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line; empty or None where not given."""

    pods: Path | None = None
    nodes: Path | None = None
    kubeconfig: Path | None = None
    context: str = ""
    replay: Path | None = None
    policy: Path | None = None
    cloud: str = ""
    catalog: Path | None = None
    mode: str = ""
    accounting: str = ""
    deadline_s: float | None = None
    recommend: bool = False
    metrics: tuple[Path, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether a cluster is asked."""
        return self.kubeconfig is not None or bool(self.context)

    def check(self) -> None:
        """Raises what typer says of wrong usage."""
        if sum((self.pods is not None, self.is_live, self.replay is not None)) != 1:
            raise typer.BadParameter(
                "name exactly one source: --pods, a cluster (--kubeconfig, --context), or --replay"
            )
        if self.nodes is not None and self.pods is None:
            raise typer.BadParameter("goes with --pods only", param_hint="--nodes")
        if self.replay is not None:
            self._refuse(_REPLAYED, "the recorded decision has its own")
        if self.metrics and not self.recommend:
            raise typer.BadParameter("goes with --recommend only", param_hint="--metrics")
        if self.recommend and not (self.metrics or self.is_live):
            raise typer.BadParameter("needs measured use: --metrics, or a cluster", param_hint="--recommend")
        _choice("--mode", self.mode, MODES)
        _choice("--cloud", self.cloud, CLOUDS)
        _choice("--accounting", self.accounting, ACCOUNTINGS)
        if self.catalog is not None and self.accounting == DOCUMENTED and not self.cloud:
            raise typer.BadParameter(
                "documented reservations are a cloud's: name one with --cloud", param_hint="--accounting"
            )

    def refuse_settled(self) -> None:
        """Where the controller's whole settings are given, nothing that they say may be said again."""
        self._refuse(_SETTLED, "the settings given with --policy have their own")

    def _refuse(self, names: tuple[str, ...], why: str) -> None:
        for name in names:
            if getattr(self, name) not in {None, ""}:
                raise typer.BadParameter(why, param_hint=f"--{name.replace('_', '-')}")


@dataclass(frozen=True, slots=True)
class Question:
    """What decides, all of it but the time that deciding may take."""

    snapshot: Snapshot
    catalog: Catalog
    policy: Policy
    now: datetime
    rounds: int | None = None
    """Of a recorded decision; None: as many as the deadline leaves."""
    decided: record.Decided | None = None
    """What came of it when it was recorded."""
    unreadable: tuple[str, ...] = ()
    measured: tuple[tuple[Usage, ...], ...] = ()
    """What pods were measured to use, sample by sample: of files, then of the cluster; for a recommendation."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan, how long it took, and how it can be had again."""

    plan: Plan
    elapsed_s: float
    decision: record.Decision


def read(options: Options, now: datetime) -> Question:
    """Everything that decides; raises what cannot be read."""
    measured = tuple(map(files.usage, options.metrics))
    if options.replay is not None:
        told, decided = record.read(options.replay)
        return Question(
            told.snapshot, told.catalog, told.policy, told.now, told.rounds, decided, measured=measured
        )
    market, policy = _terms(options)
    cluster = _cluster(options) if options.is_live else None
    seen = cluster.observe() if cluster else _of_files(options)
    market = _at_home(market, seen, options)
    pools = () if _is_nobodys(options) else owned.pools_of(seen.nodes, market, policy)
    snapshot = Snapshot(
        seen.pods,
        seen.nodes,
        pools,
        budgets=seen.budgets,
        scalers=seen.scalers,
        storage=seen.storage,
        daemon_sets=seen.daemon_sets,
    )
    if policy.hot_nodes and cluster:
        snapshot = replace(snapshot, usage=cluster.usage(), node_usage=cluster.node_usage())
    if options.recommend and cluster:
        measured = (*measured, snapshot.usage or cluster.usage())
    return Question(snapshot, market, policy, now, unreadable=seen.unreadable, measured=measured)


def answer(question: Question, monotonic_s: Callable[[], float]) -> Answer:
    """Decide: by the clock, or in as many rounds as were recorded."""
    start, rounds = monotonic_s(), question.rounds
    by_clock = record.budget_for(question.policy.decision_deadline_s, monotonic_s)
    budget = record.Counted(by_clock if rounds is None else record.budget_of(rounds))
    plan = decide(question.snapshot, question.catalog, question.policy, question.now, budget)
    elapsed_s = monotonic_s() - start
    decision = record.Decision(
        question.snapshot, question.catalog, question.policy, question.now, budget.rounds
    )
    return Answer(plan, elapsed_s, decision)


def recommendation(
    question: Question, margin_percent: int, monotonic_s: Callable[[], float]
) -> Recommendation:
    """Requests proposed from measured use; each of the plans compared may take the deadline's time."""
    budget = partial(record.budget_for, question.policy.decision_deadline_s, monotonic_s)
    daemon_sets = question.snapshot.daemon_sets
    terms = recommend.Terms(question.catalog, question.policy, question.now, budget, daemon_sets)
    return recommend.recommend(question.snapshot.pods, question.measured, margin_percent, terms)


def _choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value and value not in allowed:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(allowed)}", param_hint=option)


def _of_files(options: Options) -> Observed:
    pods = files.pods(options.pods) if options.pods else ()
    nodes = files.nodes(options.nodes) if options.nodes else ()
    given = [path for path in (options.pods, options.nodes) if path]
    storage = files.storage(*given) if any(pod.claims for pod in pods) else None
    return Observed(*attached(pods, nodes, storage), storage=storage, daemon_sets=files.daemon_sets(*given))


def _cluster(options: Options) -> Kube:
    path = str(options.kubeconfig) if options.kubeconfig else None
    return Kube.reading(path, options.context or None)


def _is_nobodys(options: Options) -> bool:
    """Whether nothing tells which nodes were bought: files, and no policy that says what these carry."""
    return options.pods is not None and options.policy is None


def _terms(options: Options) -> tuple[Catalog, Policy]:
    if options.policy is None:
        return _market(options), _with_options(_open_policy(options), options)
    told = parse_policy(files.text(options.policy), str(options.policy))
    if isinstance(told, PolicySettings):
        return _market(options), _with_options(told.policy(), options)
    options.refuse_settled()
    return startup.market(told), _with_options(told.policy.policy(), options)


def _open_policy(options: Options) -> Policy:
    """Where no policy is given: anything may be bought, and on a cluster it is shown what could move.

    How many sizes are in use counts where a set of nodes is chosen; other modes give each pod the cheapest of all.
    """
    policy = Policy(mode=options.mode or OPTIMAL, architectures=ARCHITECTURES, repack=options.is_live)
    return policy if policy.mode == OPTIMAL else replace(policy, max_pools=_NO_CAP)


def _with_options(policy: Policy, options: Options) -> Policy:
    deadline_s = policy.decision_deadline_s if options.deadline_s is None else options.deadline_s
    return replace(policy, mode=options.mode or policy.mode, decision_deadline_s=deadline_s)


def _market(options: Options) -> Catalog:
    if options.catalog is None:
        cloud = options.cloud or CLOUDS[0]
        return Catalog(bundled(cloud), cloud, options.accounting or DOCUMENTED)
    return Catalog(load(options.catalog), options.cloud, options.accounting or NOMINAL)


def _at_home(market: Catalog, seen: Observed, options: Options) -> Catalog:
    """What is sold where the cluster is; volumes say it as well."""
    home = "" if options.catalog else _HOME.get(market.cloud, "")
    pods = placed((pod for pod in seen.pods if not pod.is_finished), seen.storage)
    return kept_to_regions(market, seen.nodes, pods, home)
