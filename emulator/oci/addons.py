"""Add-ons of enhanced clusters: install, show, change, disable."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.cloud.clock import rfc3339
from emulator.cloud.errors import ApiError, OperationFailed
from emulator.cloud.http import Answer
from emulator.kube import autoscaler_settings
from emulator.oci import images, state
from emulator.oci.errors import conflict, incorrect_state, invalid, not_found
from emulator.oci.http import Call, accepted, check_etag, page, versioned
from emulator.oci.state import Addon, Cluster
from emulator.oci.wire import InstallAddon, KeyValue, UpdateAddon
from emulator.oci.work_requests import Touched, WorkRequest
from emulator.oci.world import World

AUTOSCALER: Final = "ClusterAutoscaler"
VERSION: Final = "v1.0.0-emulated"
ESSENTIAL: Final = ("CoreDNS", "KubeProxy")
KNOWN: Final[Mapping[str, str]] = {
    "CertManager": "Certificates for webhooks",
    "ClusterAutoscaler": "Changes the sizes of node pools as pods need them",
    "CoreDNS": "Names of services",
    "Flannel": "Overlay pod network",
    "KubeProxy": "Addresses of services",
    "KubernetesMetricsServer": "CPU and memory in use, for autoscaling",
    "NativeIngressController": "Load balancers for Ingress objects",
    "NvidiaGpuPlugin": "Makes GPUs known to the scheduler",
    "OciVcnIpNative": "Pod network with addresses of the VCN",
}
_NEEDS: Final[Mapping[str, str]] = {"KubernetesMetricsServer": "CertManager"}
_NOT_WITH: Final = {True: "Flannel", False: "OciVcnIpNative"}
"""By whether the cluster's pod network is VCN-native."""
_CONFIGURED: Final = frozenset({AUTOSCALER})
"""Add-ons whose configuration the emulated cloud reads; the others' is kept and shown."""


def install_essential(cluster: Cluster, now: float) -> None:
    """The add-ons that every cluster has from the beginning."""
    network = "OciVcnIpNative" if cluster.vcn_native else "Flannel"
    for name in (*ESSENTIAL, network):
        cluster.addons[name] = Addon(name, state.ACTIVE, now)


class Addons:
    """The operations on add-ons."""

    def __init__(self, world: World) -> None:
        self._world = world

    def options(self, call: Call) -> Answer:
        """What can be installed for a Kubernetes version."""
        version = images.check_version(call.required("kubernetesVersion"))
        wanted = call.one("addonName")
        return page([_option(name, version) for name in KNOWN if wanted in {None, name}], call)

    def list(self, call: Call) -> Answer:
        """The add-ons of a cluster."""
        cluster = self._enhanced(call)
        return page([_summary(addon) for addon in cluster.addons.values()], call)

    def get(self, call: Call) -> Answer:
        """One add-on."""
        addon = self._addon(self._enhanced(call), call)
        return versioned(_json(addon), _etag(addon))

    def install(self, call: Call) -> Answer:
        """Enable an add-on."""
        cluster = self._enhanced(call)
        details = call.details(InstallAddon)
        if details.addon_name not in KNOWN:
            raise invalid(f"addonName: '{details.addon_name}' must be one of {', '.join(sorted(KNOWN))}")
        if details.addon_name == _NOT_WITH[cluster.vcn_native]:
            raise invalid(f"addonName: '{details.addon_name}' does not go with the cluster's pod network")
        present = cluster.addons.get(details.addon_name)
        if present is not None and not (details.is_override_existing or details.addon_name in ESSENTIAL):
            raise conflict(f"addon {details.addon_name} is already enabled on cluster {cluster.id}")
        settings = _pairs(details.configurations)
        self._check(cluster, details.addon_name, settings)
        addon = Addon(details.addon_name, state.CREATING, self._world.clock.now(), details.version, settings)
        self._check_free(cluster, addon.name)
        cluster.addons[addon.name] = addon
        return self._submit("ENABLE_ADDON", cluster, addon, "CREATED")

    def update(self, call: Call) -> Answer:
        """Change version or configuration of an add-on."""
        cluster = self._enhanced(call)
        addon = self._addon(cluster, call)
        check_etag(call, _etag(addon))
        details = call.details(UpdateAddon)
        self._check_free(cluster, addon.name)
        if details.configurations is not None:
            settings = _pairs(details.configurations)
            self._check(cluster, addon.name, settings)
            addon.configurations = settings
        addon.version = details.version or addon.version
        addon.state = state.UPDATING
        return self._submit("UPDATE_ADDON", cluster, addon, "UPDATED")

    def disable(self, call: Call) -> Answer:
        """Disable an add-on; its resources stay unless `isRemoveExistingAddOn`."""
        cluster = self._enhanced(call)
        addon = self._addon(cluster, call)
        check_etag(call, _etag(addon))
        call.required("isRemoveExistingAddOn")
        self._check_free(cluster, addon.name)
        addon.state = state.DELETING
        request = self._world.work.submit(
            "DISABLE_ADDON",
            cluster.details.compartment_id,
            (_touched(cluster, addon, "DELETED"),),
            lambda _request: self._remove(cluster, addon),
        )
        return accepted(request.id)

    def _submit(self, operation: str, cluster: Cluster, addon: Addon, outcome: str) -> Answer:
        request = self._world.work.submit(
            operation,
            cluster.details.compartment_id,
            (_touched(cluster, addon, outcome),),
            lambda request: self._apply(cluster, addon, request),
        )
        return accepted(request.id)

    def _apply(self, cluster: Cluster, addon: Addon, request: WorkRequest) -> None:
        missing = _NEEDS.get(addon.name)
        if missing is not None and missing not in cluster.addons:
            message = f"{addon.name} needs the add-on {missing}, which is not enabled"
            with self._world.lock:
                addon.state, addon.error = state.NEEDS_ATTENTION, ("MissingDependency", message)
            raise OperationFailed("MissingDependency", message)
        if addon.name == AUTOSCALER and cluster.kube is not None:
            cluster.kube.set_autoscaler(autoscaler_settings.parse(dict(addon.configurations)))
        with self._world.lock:
            addon.state, addon.error = state.ACTIVE, None
            addon.revision += 1
        self._world.work.log(request, f"add-on {addon.name} is active on {cluster.context}")

    def _remove(self, cluster: Cluster, addon: Addon) -> None:
        if addon.name == AUTOSCALER and cluster.kube is not None:
            cluster.kube.set_autoscaler(None)
        with self._world.lock:
            cluster.addons.pop(addon.name, None)

    def _check(self, cluster: Cluster, name: str, settings: tuple[tuple[str, str], ...]) -> None:
        if name not in _CONFIGURED:
            return
        try:
            parsed = autoscaler_settings.parse(dict(settings))
        except autoscaler_settings.AutoscalerSettingsInvalid as fault:
            raise invalid(f"configurations: {fault}") from None
        for limits in parsed.nodes:
            if self._world.pool(limits.pool_id).cluster_id != cluster.id:
                raise invalid(
                    f"configurations: nodes: {limits.pool_id} is not a pool of cluster {cluster.id}"
                )

    def _check_free(self, cluster: Cluster, name: str) -> None:
        if cluster.state != state.ACTIVE:
            raise incorrect_state(f"cluster {cluster.id} is {cluster.state}, not ACTIVE")
        self._world.work.check_free(_identifier(cluster, name))

    def _enhanced(self, call: Call) -> Cluster:
        cluster = self._world.cluster(call.parameters["cluster_id"])
        if cluster.state in {state.DELETING, state.DELETED}:
            raise not_found(f"cluster {cluster.id}")
        if not cluster.enhanced:
            raise ApiError(
                400, "InvalidParameter", f"cluster {cluster.id} is basic; add-ons need ENHANCED_CLUSTER"
            )
        return cluster

    def _addon(self, cluster: Cluster, call: Call) -> Addon:
        addon = cluster.addons.get(call.parameters["addon_name"])
        if addon is None:
            raise not_found(f"addon {call.parameters['addon_name']} of cluster {cluster.id}")
        return addon


def _pairs(configurations: list[KeyValue] | None) -> tuple[tuple[str, str], ...]:
    return tuple((entry.key, entry.value) for entry in configurations or ())


def _identifier(cluster: Cluster, name: str) -> str:
    return f"{cluster.id}/{name}"


def _touched(cluster: Cluster, addon: Addon, outcome: str) -> Touched:
    uri = f"/clusters/{cluster.id}/addons/{addon.name}"
    return Touched("addon", _identifier(cluster, addon.name), uri, outcome)


def _etag(addon: Addon) -> str:
    return f"{addon.name}-{addon.revision}"


def _summary(addon: Addon) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": addon.name,
        "currentInstalledVersion": addon.version or VERSION,
        "timeCreated": rfc3339(addon.created_at),
        "lifecycleState": addon.state,
    }
    if addon.version:
        shown["version"] = addon.version
    if addon.error is not None:
        shown["addonError"] = {"code": addon.error[0], "message": addon.error[1], "status": "400"}
    return shown


def _json(addon: Addon) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in addon.configurations]
    return {**_summary(addon), "configurations": pairs}


def _option(name: str, version: str) -> dict[str, Any]:
    return {
        "name": name,
        "addonSchemaVersion": "1.0.0",
        "lifecycleState": state.ACTIVE,
        "description": KNOWN[name],
        "isEssential": name in ESSENTIAL,
        "versions": [
            {
                "versionNumber": VERSION,
                "status": state.ACTIVE,
                "description": KNOWN[name],
                "kubernetesVersionFilters": {"exactKubernetesVersions": [version]},
                "configurations": [],
            }
        ],
    }
