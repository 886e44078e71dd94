"""An OKE stack: the components of its variant put together, and the exports every stack has."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from catalog.names import NAMESPACE_PROVISIONER, PROVISIONER_NAME
from components import oci_credentials
from components.credentials import CredentialsMissing
from components.kubernetes_access import KubernetesAccess
from components.oke import images
from components.oke.add_ons import AddOns
from components.oke.autoscaler import Autoscaler
from components.oke.cluster import Cluster, ClusterArgs
from components.oke.gpu_pool import AutoscaledGpuPool, FixedGpuPool
from components.oke.image_repository import ImageRepository
from components.oke.kubeconfig import kubeconfig
from components.oke.load_balancer import front
from components.oke.management_pool import ManagementPool
from components.oke.network import Existing, Network, NetworkArgs
from components.oke.network_rules import API, LOAD_BALANCERS, PODS, WORKERS
from components.oke.node_pool import Hardware, Site
from components.oke.workload_policy import WorkloadPolicy
from components.provisioned_capacity import ProvisionedCapacity
from components.provisioner_manifests import Wiring
from stacks import assembly, configuration, oke_capacity, oke_offers, oke_survey, preflight
from stacks.assembly import MANAGEMENT, Exports
from stacks.compartment import SERVICES_CIDR, Compartment
from stacks.faults import Fault, StackError, closest
from stacks.oke_offers import Offers
from stacks.oke_survey import Question, SurveyFailed
from stacks.preflight import Checked
from stacks.settings import DYNAMIC, RESTRICTED, Settings
from stacks.shapes import Node


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is known before anything is declared."""

    stack: str
    settings: Settings
    compartment: Compartment
    checked: Checked
    offers: Offers

    @property
    def public_api(self) -> bool:
        """Whether the API server has a public address."""
        return self.settings.api.access == RESTRICTED


@dataclass(frozen=True, slots=True)
class Ground:
    """What every variant stands on."""

    network: Network
    site: Site
    management: ManagementPool
    access: KubernetesAccess
    add_ons: AddOns


def build(stack: str, settings: Settings, compartment: Compartment) -> Exports:
    """Declare the stack.

    Raises:
        StackError: when the settings cannot be met; nothing is declared then.
    """
    assembly.check_region(settings, "oci:region", configuration.provider("oci").get("region", ""))
    checked = preflight.check(settings)
    plan = Plan(stack, settings, compartment, checked, oke_offers.ask(settings, compartment))
    _check_offers(plan)
    _check_limits(plan)
    ground = _ground(plan)
    after = _inference_nodes(plan, ground)
    balancer = front(
        ground.network.subnet_ids[LOAD_BALANCERS],
        ground.network.group_ids[LOAD_BALANCERS],
        internal=not settings.expose_cidrs,
    )
    servers = assembly.serve(plan, ground.access, balancer, [ground.add_ons, *after])
    return {**assembly.exports(plan, ground.site.cluster_id, ground.access, servers), **_repository(plan)}


def _repository(plan: Plan) -> Exports:
    """Declare where the stack's images go, if it is to make that, and export it."""
    if not plan.settings.images.repository:
        return {}
    return {"repository": ImageRepository(plan.stack, plan.compartment.id, plan.settings.region).address}


def _check_offers(plan: Plan) -> None:
    """Every declared pool has a shape and an image, and every named availability domain exists."""
    faults = [
        Fault(
            f"{path}.shape",
            node.shape,
            "is not offered for node pools in this region",
            closest(node.shape, plan.offers.shapes) or f"offered: {', '.join(sorted(plan.offers.shapes))}",
        )
        for path, node in ((MANAGEMENT, plan.checked.management), ("gpu", plan.checked.gpu))
        if node and plan.offers.shapes and node.shape not in plan.offers.shapes
    ]
    faults += [
        Fault(
            f"{path}.shape",
            node.shape,
            f"has no Oracle Linux 8 image of kind {_kind(node)} for Kubernetes {plan.offers.kubernetes_version}",
            "choose another kubernetesVersion or shape",
        )
        for path, node in ((MANAGEMENT, plan.checked.management), ("gpu", plan.checked.gpu))
        if node and _kind(node) not in plan.offers.images
    ]
    faults += [
        Fault(
            f"provisioner.architectures[{index}]",
            arch,
            f"has no Oracle Linux 8 image for Kubernetes {plan.offers.kubernetes_version}",
            "choose another kubernetesVersion or architecture",
        )
        for index, arch in enumerate(plan.settings.provisioner.architectures)
        if plan.settings.right_sized and arch not in plan.offers.images
    ]
    domains = plan.offers.availability_domains
    faults += [
        Fault(
            f"gpu.availabilityDomains[{index}]",
            domain,
            "is not an availability domain of the region",
            closest(domain, domains) or f"there are: {', '.join(domains)}",
        )
        for index, domain in enumerate(plan.settings.gpu.availability_domains)
        if domain not in domains
    ]
    if faults:
        raise StackError(faults)


def _check_limits(plan: Plan) -> None:
    """The tenancy's limits leave room for the peak, as far as they can be read."""
    domains, told = plan.offers.availability_domains, configuration.provider("oci")
    needs = oke_capacity.needs_of(plan.settings, plan.checked, domains)
    try:
        question = Question(
            compartment=plan.compartment.id,
            cluster=plan.stack,
            limits=oke_capacity.limits_of(needs),
            domains=domains,
            credentials=oci_credentials.find(told.get, os.environ),
            endpoint=plan.settings.provisioner.endpoint,
        )
        survey = oke_survey.survey(question)
    except (CredentialsMissing, SurveyFailed) as error:
        pulumi.log.warn(f"preflight: limits are not checked: {error}")
        return
    for reason in survey.unread:
        pulumi.log.warn(f"preflight: not checked: {reason}")
    faults = oke_capacity.short_limits(needs, domains, survey)
    if faults:
        raise StackError(faults)


def _ground(plan: Plan) -> Ground:
    settings = plan.settings
    network = Network(plan.stack, _network_args(plan))
    cluster = Cluster(
        plan.stack,
        ClusterArgs(
            compartment_id=plan.compartment.id,
            kubernetes_version=plan.offers.kubernetes_version,
            network=network,
            public_api=plan.public_api,
            services_cidr=str(SERVICES_CIDR),
            tags=assembly.tags(plan),
            protected=settings.cluster.deletion_protection,
        ),
    )
    site = Site(
        compartment_id=plan.compartment.id,
        cluster_id=cluster.cluster_id,
        kubernetes_version=plan.offers.kubernetes_version,
        network=network,
        accounting=settings.accounting,
    )
    management = ManagementPool(
        MANAGEMENT,
        site,
        _hardware(plan, plan.checked.management, settings.management.boot_volume_gib),
        settings.management.count,
        plan.offers.availability_domains,
    )
    access = KubernetesAccess(
        plan.stack,
        kubeconfig(cluster.cluster_id, public_api=plan.public_api),
        proxy_url=settings.api.proxy_url,
    )
    add_ons = AddOns("add-ons", cluster.cluster_id, gpus=not settings.right_sized, after=[management])
    return Ground(network, site, management, access, add_ons)


def _network_args(plan: Plan) -> NetworkArgs:
    wanted = plan.compartment.network
    return NetworkArgs(
        compartment_id=plan.compartment.id,
        cidr_block=wanted.cidr_block,
        services=plan.offers.services,
        existing=Existing(
            vcn=wanted.vcn_id,
            internet_gateway=wanted.internet_gateway_id,
            nat_gateway=wanted.nat_gateway_id,
            service_gateway=wanted.service_gateway_id,
            subnets={
                API: wanted.subnets.api,
                WORKERS: wanted.subnets.workers,
                PODS: wanted.subnets.pods,
                LOAD_BALANCERS: wanted.subnets.load_balancers,
            },
        ),
        public_api=plan.public_api,
        admin_cidrs=plan.settings.api.allowed_cidrs,
        client_cidrs=plan.settings.expose_cidrs,
    )


def _inference_nodes(plan: Plan, ground: Ground) -> Sequence[pulumi.Resource]:
    """Declare what brings the variant's inference nodes; model servers wait for it."""
    gpu = plan.checked.gpu
    if gpu is None:
        return _provisioner(plan, ground)
    settings = plan.settings
    hardware = _hardware(plan, gpu, settings.gpu.boot_volume_gib)
    domains = oke_capacity.gpu_domains(settings, plan.offers.availability_domains)
    if settings.variant != DYNAMIC:
        return [FixedGpuPool(ground.site, hardware, settings.max_workers, domains)]
    pool = AutoscaledGpuPool(ground.site, hardware, domains)
    autoscaler = Autoscaler(
        f"{plan.stack}-autoscaler",
        ground.site,
        pool.pools,
        max_nodes=settings.gpu_max_nodes,
        timing=settings.timing,
        after=[ground.add_ons],
    )
    return [pool, autoscaler]


def _provisioner(plan: Plan, ground: Ground) -> Sequence[pulumi.Resource]:
    """Policy, then the capacity that a destroy has to remove, then the provisioner that buys it."""
    policy = WorkloadPolicy(
        f"{plan.stack}-{PROVISIONER_NAME}",
        compartment_id=plan.compartment.id,
        cluster_id=ground.site.cluster_id,
        namespace=NAMESPACE_PROVISIONER,
        service_account=PROVISIONER_NAME,
    )
    capacity = ProvisionedCapacity(
        "provisioned-capacity",
        cloud=plan.settings.cloud,
        identity={"cluster_id": ground.site.cluster_id, "compartment_id": plan.compartment.id},
        opts=pulumi.ResourceOptions(depends_on=[ground.network, ground.management, policy]),
    )
    wiring, after = _wiring(plan, ground), [capacity, ground.management]
    return [assembly.provisioner(plan, plan.offers.kubernetes_version, wiring, ground.access, after)]


def _wiring(plan: Plan, ground: Ground) -> Wiring:
    network = ground.network
    return Wiring(
        cluster_id=ground.site.cluster_id,
        site={
            "compartment_id": plan.compartment.id,
            "node_images": dict(plan.offers.images),
            "network": {
                "worker_subnet_id": network.subnet_ids[WORKERS],
                "worker_nsg_ids": [network.group_ids[WORKERS]],
                "pod_subnet_ids": [network.subnet_ids[PODS]],
                "pod_nsg_ids": [network.group_ids[PODS]],
            },
            "availability_domains": list(plan.offers.availability_domains),
            "boot_volume_gib": plan.settings.provisioner.boot_volume_gib,
        },
        environment={
            "OCI_RESOURCE_PRINCIPAL_REGION": plan.settings.region,
            "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
        },
    )


def _hardware(plan: Plan, node: Node, boot_volume_gib: int) -> Hardware:
    return Hardware(
        shape=node.shape,
        machine=node.machine,
        flexible_ocpus=node.flexible_ocpus,
        image_id=plan.offers.images[_kind(node)],
        boot_volume_gib=boot_volume_gib,
    )


def _kind(node: Node) -> str:
    return images.kind_of(node.machine.arch, node.machine.gpus)
