"""Makes a controller of settings: the one place where a cloud's name chooses its driver."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from catalog.allocatable import GIB, MIB
from catalog.loader import bundled
from catalog.names import SERVICE_ACCOUNT_TOKEN_ENV
from catalog.offering import at_home, within
from provisioner.core.market import Catalog
from provisioner.core.policy import OFF
from provisioner.drivers.contract import Driver
from provisioner.kube import Kube
from provisioner.loop import Controller
from provisioner.ring import Ring
from provisioner.settings import Settings
from provisioner.sites import GkeSection, OkeSection


def controller(settings: Settings[Any]) -> Controller:
    """A controller that is connected; raises what `run` tells the user."""
    log = logger(settings.log_format)
    driver, catalog = _DRIVERS[settings.cloud](settings)
    policy = settings.policy.policy()
    cluster = Kube.connect(
        moves_pods=policy.moves_pods or policy.hot_nodes,
        sees_growth=policy.growth != OFF,
        measures=policy.hot_nodes,
    )
    log.info(
        "starting",
        stack=settings.stack,
        cluster=settings.cluster_id,
        accounting=settings.accounting,
        mode=policy.mode,
        families=list(policy.families) or "all",
        period_s=settings.loop_period_s,
    )
    made = Controller(driver, cluster, catalog, policy, log)
    if settings.record_folder:
        folder = Path(settings.record_folder)
        made.record = Ring(folder, settings.record_last, settings.record_mib * MIB).keep
    return made


def logger(log_format: str) -> Any:
    """A logger of one line an event on stderr."""
    render = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()


def market(settings: Settings[Any]) -> Catalog:
    """What the settings' site can buy, by the cloud's rules."""
    return _MARKETS[settings.cloud](settings)


def _oke_market(settings: Settings[OkeSection]) -> Catalog:
    from provisioner.drivers.oke_pool import zone_of

    section = settings.site
    return Catalog(
        at_home(bundled("oke"), settings.region, map(zone_of, section.availability_domains)),
        "oke",
        settings.accounting,
        # Image and system take about a third of the smallest boot volume.
        ephemeral_storage_bytes=section.boot_volume_gib * GIB * 7 // 10,
    )


def _gke_market(settings: Settings[GkeSection]) -> Catalog:
    from provisioner.drivers.gke_pool import ephemeral_storage_bytes

    section = settings.site
    return Catalog(
        within(bundled("gke"), settings.region, section.zones),
        "gke",
        settings.accounting,
        ephemeral_storage_bytes=ephemeral_storage_bytes(section.boot_disk_gib),
    )


_MARKETS: Final[Mapping[str, Callable[[Settings[Any]], Catalog]]] = {"oke": _oke_market, "gke": _gke_market}


def _oke(settings: Settings[OkeSection]) -> tuple[Driver, Catalog]:
    from provisioner.drivers.oke import OkeDriver
    from provisioner.drivers.oke_client import WorkloadIdentity, client
    from provisioner.drivers.oke_pool import OkeSite

    section = settings.site
    site = OkeSite(
        cluster_id=settings.cluster_id,
        compartment_id=section.compartment_id,
        kubernetes_version=settings.kubernetes_version,
        node_images={str(kind): image for kind, image in section.node_images.items()},
        availability_domains=section.availability_domains,
        worker_subnet_id=section.network.worker_subnet_id,
        worker_nsg_ids=section.network.worker_nsg_ids,
        pod_subnet_ids=section.network.pod_subnet_ids,
        pod_nsg_ids=section.network.pod_nsg_ids,
        boot_volume_gib=section.boot_volume_gib,
    )
    catalog = _oke_market(settings)
    identity = WorkloadIdentity(os.environ.get(SERVICE_ACCOUNT_TOKEN_ENV))
    return OkeDriver(client(identity, settings.endpoint), site, catalog), catalog


def _gke(settings: Settings[GkeSection]) -> tuple[Driver, Catalog]:
    from provisioner.drivers.gke import GkeDriver
    from provisioner.drivers.gke_client import ambient, clients
    from provisioner.drivers.gke_pool import GkeSite

    section = settings.site
    site = GkeSite(
        project=section.project,
        location=section.location,
        cluster=section.cluster,
        zones=section.zones,
        node_service_account=section.node_service_account,
        boot_disk_gib=section.boot_disk_gib,
        boot_disk_type=section.boot_disk_type,
        network_tags=section.network_tags,
        image_streaming=section.image_streaming,
    )
    catalog = _gke_market(settings)
    return GkeDriver(clients(ambient(), settings.endpoint), site, catalog), catalog


_DRIVERS: Final[Mapping[str, Callable[[Settings[Any]], tuple[Driver, Catalog]]]] = {"oke": _oke, "gke": _gke}
