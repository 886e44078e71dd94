"""A GKE stack: the components of its variant put together, and the exports every stack has."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from catalog.names import NAMESPACE_PROVISIONER, PROVISIONER_NAME
from components import gcp_credentials
from components.credentials import CredentialsMissing
from components.gke.cluster import Access, Cluster, ClusterArgs
from components.gke.gpu_pool import AutoscaledGpuPool, FixedGpuPool
from components.gke.image_repository import ImageRepository
from components.gke.kubeconfig import kubeconfig
from components.gke.load_balancer import front
from components.gke.management_pool import ManagementPool
from components.gke.names import LONGEST_CLUSTER, google_name, label_value
from components.gke.network import PODS, SERVICES, Existing, Network, NetworkArgs
from components.gke.node_identity import NodeIdentity
from components.gke.node_pool import Hardware, Site
from components.gke.provisioner_identity import ANNOTATION, ProvisionerIdentity, Workload
from components.kubernetes_access import KubernetesAccess
from components.provisioned_capacity import ProvisionedCapacity
from components.provisioner_manifests import Wiring
from stacks import assembly, configuration, gke_capacity, gke_offers, gke_survey, preflight
from stacks.assembly import MANAGEMENT, Exports
from stacks.faults import Fault, StackError
from stacks.gke_capacity import Need
from stacks.gke_offers import Offers
from stacks.gke_survey import Question, Survey, SurveyFailed
from stacks.preflight import Checked
from stacks.project import Project
from stacks.settings import DYNAMIC, RESTRICTED, Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is known before anything is declared."""

    stack: str
    settings: Settings
    project: Project
    checked: Checked
    offers: Offers
    survey: Survey
    zones: tuple[str, ...]

    @property
    def location(self) -> str:
        """The zone of a zonal cluster, the region of one with several."""
        return self.zones[0] if len(self.zones) == 1 else self.settings.region

    def need(self, path: str) -> Need:
        """Machines of one of the stack's own pools."""
        (found,) = (one for one in gke_capacity.declared(self.settings, self.checked) if one.path == path)
        return found

    def zones_of(self, need: Need) -> tuple[str, ...]:
        """Those of the stack's zones that sell a pool's machines."""
        return tuple(zone for zone in self.zones if zone in need.zones(self.survey))


@dataclass(frozen=True, slots=True)
class Ground:
    """What every variant stands on."""

    network: Network
    nodes: NodeIdentity
    cluster: Cluster
    site: Site
    management: ManagementPool
    access: KubernetesAccess


def build(stack: str, settings: Settings, project: Project) -> Exports:
    """Declare the stack.

    Raises:
        StackError: when the settings cannot be met; nothing is declared then.
    """
    assembly.check_region(settings, "gcp:region", configuration.provider("gcp").get("region", ""))
    plan = _plan(stack, settings, project)
    ground = _ground(plan)
    after = _inference_nodes(plan, ground)
    servers = assembly.serve(plan, ground.access, front(settings.expose_cidrs), [ground.management, *after])
    return {**assembly.exports(plan, ground.cluster.cluster_id, ground.access, servers), **_repository(plan)}


def _repository(plan: Plan) -> Exports:
    """Declare where the stack's images go, if it is to make that, and export it."""
    if not plan.settings.images.repository:
        return {}
    return {"repository": ImageRepository(plan.stack, plan.project.id, plan.settings.region).address}


def _plan(stack: str, settings: Settings, project: Project) -> Plan:
    checked = preflight.check(settings)
    offers = gke_offers.ask(settings, project)
    survey = _survey(stack, settings, project, offers)
    needs, bought = gke_capacity.declared(settings, checked), gke_capacity.bought(checked)
    zones, faults = gke_capacity.choose_zones(settings, project.zones, needs, bought, survey)
    faults += gke_capacity.short_quotas(settings, [*needs, *bought], survey)
    if faults:
        raise StackError(faults)
    return Plan(stack, settings, project, checked, offers, survey, zones)


def _survey(stack: str, settings: Settings, project: Project, offers: Offers) -> Survey:
    told = configuration.provider("gcp")
    try:
        question = Question(
            project=project.id,
            region=settings.region,
            zones=offers.zones,
            cluster=google_name(stack, longest=LONGEST_CLUSTER),
            credentials=gcp_credentials.find(told.get, os.environ),
            endpoint=settings.provisioner.endpoint,
        )
        survey = gke_survey.survey(question)
    except (CredentialsMissing, SurveyFailed) as error:
        raise StackError(
            [Fault("project", project.id, "cannot be looked at before it is built in", str(error))]
        ) from error
    for reason in survey.unread:
        pulumi.log.warn(f"preflight: not checked: {reason}")
    return survey


def _ground(plan: Plan) -> Ground:
    settings, project = plan.settings, plan.project.id
    network = Network(plan.stack, _network_args(plan))
    nodes = NodeIdentity(plan.stack, project, streaming=settings.images.streaming)
    cluster = Cluster(plan.stack, _cluster_args(plan, network, nodes))
    site = Site(project, plan.location, cluster.resource.name, nodes.email)
    need = plan.need(gke_capacity.MANAGEMENT)
    management = ManagementPool(
        MANAGEMENT,
        site,
        _hardware(plan, need, settings.management.boot_volume_gib),
        need.nodes,
        plan.zones_of(need),
    )
    access = KubernetesAccess(
        plan.stack,
        kubeconfig(cluster.cluster_name, cluster.resource, by_name=settings.api.dns_endpoint),
        proxy_url=settings.api.proxy_url,
    )
    return Ground(network, nodes, cluster, site, management, access)


def _network_args(plan: Plan) -> NetworkArgs:
    wanted = plan.project.network
    return NetworkArgs(
        project=plan.project.id,
        region=plan.settings.region,
        existing=Existing(
            network=wanted.name,
            subnetwork=wanted.subnetwork,
            pods_range=wanted.pods_range or PODS,
            services_range=wanted.services_range or SERVICES,
            router=wanted.router,
        ),
        nodes=wanted.cidr_block,
        pods=wanted.pods_cidr,
        services=wanted.services_cidr,
    )


def _cluster_args(plan: Plan, network: Network, nodes: NodeIdentity) -> ClusterArgs:
    settings = plan.settings
    return ClusterArgs(
        project=plan.project.id,
        location=plan.location,
        zones=plan.zones if len(plan.zones) > 1 else (),
        kubernetes_version=plan.offers.kubernetes_version,
        release_channel=settings.cluster.release_channel,
        network=network,
        nodes=nodes,
        access=Access(
            public=settings.api.access == RESTRICTED,
            allowed_cidrs=settings.api.allowed_cidrs,
            dns_endpoint=settings.api.dns_endpoint,
        ),
        labels={key: label_value(value) for key, value in assembly.tags(plan).items()},
        deletion_protection=settings.cluster.deletion_protection,
    )


def _inference_nodes(plan: Plan, ground: Ground) -> Sequence[pulumi.Resource]:
    """Declare what brings the variant's inference nodes; model servers wait for it."""
    settings = plan.settings
    if settings.right_sized:
        return _provisioner(plan, ground)
    need = plan.need(gke_capacity.GPU)
    hardware, zones = _hardware(plan, need, settings.gpu.boot_volume_gib), plan.zones_of(need)
    after = [ground.management]
    if settings.variant != DYNAMIC:
        return [FixedGpuPool(ground.site, hardware, need.nodes, zones, after)]
    return [AutoscaledGpuPool(ground.site, hardware, settings.gpu_max_nodes, zones, after)]


def _provisioner(plan: Plan, ground: Ground) -> Sequence[pulumi.Resource]:
    """Rights, then the capacity that a destroy has to remove, then the provisioner that buys it."""
    workload = Workload(NAMESPACE_PROVISIONER, PROVISIONER_NAME)
    identity = ProvisionerIdentity(plan.stack, plan.project.id, workload, ground.nodes, [ground.cluster])
    capacity = ProvisionedCapacity(
        "provisioned-capacity",
        cloud=plan.settings.cloud,
        identity={"cluster_id": ground.cluster.cluster_id},
        opts=pulumi.ResourceOptions(depends_on=[ground.network, ground.management, identity]),
    )
    wiring = Wiring(
        cluster_id=ground.cluster.cluster_id,
        site={
            "project": plan.project.id,
            "location": plan.location,
            "cluster": ground.cluster.cluster_name,
            "zones": list(plan.zones),
            "node_service_account": ground.nodes.email,
            "boot_disk_gib": plan.settings.provisioner.boot_volume_gib,
            "image_streaming": plan.settings.images.streaming,
        },
        annotations={ANNOTATION: identity.email},
    )
    version, after = ground.cluster.resource.master_version, [capacity, ground.management]
    return [assembly.provisioner(plan, version, wiring, ground.access, after)]


def _hardware(plan: Plan, need: Need, boot_volume_gib: int) -> Hardware:
    offering = need.offering
    return Hardware(
        machine_type=offering.machine_type,
        arch=offering.arch,
        accelerator=need.accelerator,
        gpus=offering.gpus,
        boot_disk_gib=boot_volume_gib,
        streaming=plan.settings.images.streaming,
    )
