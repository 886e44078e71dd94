"""The few calls the experiments make to a Kubernetes API server, on raw JSON.

Imported only by what measures: the client takes a second to load.
"""

import json
from collections.abc import Collection
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import yaml
from kubernetes import config
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from catalog.names import MODEL_KEY, NAMESPACE_MODELS, NAMESPACE_PROVISIONER, PROVISIONER_NAME
from experiments.fault import Fault, Unreachable
from experiments.reading import Item, Lists, labels_of

_TIMEOUT_S: Final = 10
_JOBS: Final = f"/apis/batch/v1/namespaces/{NAMESPACE_MODELS}/jobs"
_AUTOSCALERS: Final = f"/apis/autoscaling/v2/namespaces/{NAMESPACE_MODELS}/horizontalpodautoscalers"
_METRICS: Final = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE_MODELS}/pods"
_PODS: Final = f"/api/v1/namespaces/{NAMESPACE_MODELS}/pods"
_EVENTS: Final = f"/api/v1/namespaces/{NAMESPACE_MODELS}/events"
_SERVICES: Final = f"/api/v1/namespaces/{NAMESPACE_MODELS}/services"
_PROVISIONER: Final = f"/api/v1/namespaces/{NAMESPACE_PROVISIONER}/configmaps/{PROVISIONER_NAME}"
_PROVISIONER_PODS: Final = f"/api/v1/namespaces/{NAMESPACE_PROVISIONER}/pods"
_SETTINGS_KEY: Final = "settings.yaml"
_LINES: Final = 5000
"""Of a log: more than the provisioner says in a day in which nothing happens."""
_DAEMON_SETS: Final = "/apis/apps/v1/daemonsets"
_MISSING: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE})
_KEPT_FROM_US: Final = _MISSING | {HTTPStatus.FORBIDDEN}


class Kube:
    """A cluster by its kubeconfig. Not for several threads at once."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of_kubeconfig(cls, text: str) -> Self:
        """Connect by a kubeconfig's text, with its current context.

        Raises:
            Fault: when it is not a usable kubeconfig.
        """
        try:
            return cls(config.new_client_from_config_dict(yaml.safe_load(text)))
        except (config.ConfigException, yaml.YAMLError, TypeError, AttributeError) as error:
            raise Fault(
                f"kubeconfig: not usable ({error}); `kubectl --kubeconfig FILE get nodes` must work"
            ) from error

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Connect by a kubeconfig file.

        Raises:
            Fault: when there is none, or it is not usable.
        """
        try:
            return cls.of_kubeconfig(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise Fault(f"--kubeconfig {path}: cannot be read ({error})") from error

    def lists(self) -> Lists:
        """One list call a kind: all an observation needs.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses.
        """
        return Lists(
            nodes=self._items("/api/v1/nodes"),
            pods=self._items("/api/v1/pods"),
            autoscalers=self._items(_AUTOSCALERS),
            metrics=self._items(_METRICS, empty_for=_MISSING),
            daemon_sets=self._items(_DAEMON_SETS, empty_for=_KEPT_FROM_US),
        )

    def provisioner_settings(self) -> str | None:
        """The settings of the cluster's provisioner, as YAML text; None when they cannot be read."""
        try:
            status, answer = self._call("GET", _PROVISIONER)
            return str(json.loads(answer)["data"][_SETTINGS_KEY]) if status == HTTPStatus.OK else None
        except (Unreachable, ValueError, KeyError, TypeError):
            return None

    def provisioner_mode(self) -> str | None:
        """The mode of the cluster's provisioner, by its settings; None when they cannot be read."""
        try:
            return str(yaml.safe_load(self.provisioner_settings() or "")["policy"]["mode"])
        except (KeyError, TypeError, yaml.YAMLError):
            return None

    def provisioner_log(self) -> str:
        """What the cluster's provisioner has said, the latest of it; empty when it does not run.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses.
        """
        own = f"{_PROVISIONER_PODS}?labelSelector=app.kubernetes.io/name={PROVISIONER_NAME}"
        names = [pod["metadata"]["name"] for pod in self._items(own)]
        return "\n".join(self._log(_PROVISIONER_PODS, name, f"?tailLines={_LINES}") for name in names)

    def create_job(self, manifest: dict[str, Any]) -> None:
        """Create a Job; one of that name that is there already is kept.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses, for example by admission.
        """
        status, answer = self._call("POST", _JOBS, manifest)
        if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.CONFLICT:
            raise Fault(f"job {manifest['metadata']['name']}: refused: {_message(answer)}")

    def delete_job(self, name: str) -> None:
        """Delete a Job and its pods; one that is not there counts as deleted.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses.
        """
        status, answer = self._call("DELETE", f"{_JOBS}/{name}?propagationPolicy=Background")
        if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.NOT_FOUND:
            raise Fault(f"job {name}: not deleted: {_message(answer)}")

    def endpoints(self) -> dict[str, str]:
        """Where each model answers, by its Service's load balancer; those without an address are left out.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses.
        """
        found = {}
        for item in self._items(_SERVICES):
            model = labels_of(item).get(MODEL_KEY)
            ingress = (item.get("status", {}).get("loadBalancer") or {}).get("ingress") or ()
            if model and ingress:
                host, port = ingress[0].get("ip") or ingress[0]["hostname"], item["spec"]["ports"][0]
                scheme = "https" if port.get("name") == "https" else "http"
                found[model] = f"{scheme}://{host}:{port['port']}/predictions/{model}"
        return found

    def events(self) -> list[Item]:
        """What was said of the objects of the models' namespace, as long as it is remembered.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses.
        """
        return self._items(_EVENTS)

    def job_log(self, name: str) -> str:
        """What the pods of a Job have said; empty when there are none.

        Raises:
            Unreachable: when the API server does not answer.
            Fault: when it refuses.
        """
        pods = self._items(f"{_PODS}?labelSelector=batch.kubernetes.io/job-name={name}")
        return "\n".join(self._log(_PODS, pod["metadata"]["name"]) for pod in pods)

    def _log(self, pods: str, name: str, query: str = "") -> str:
        status, answer = self._call("GET", f"{pods}/{name}/log{query}")
        if status >= HTTPStatus.BAD_REQUEST:
            raise Fault(f"pod {name}: its log cannot be read: {_message(answer)}")
        return answer.decode("utf-8", "replace")

    def _items(self, path: str, *, empty_for: Collection[int] = ()) -> list[Item]:
        status, answer = self._call("GET", path)
        if status in empty_for:
            return []
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"{path}: {_message(answer)}")
        if status >= HTTPStatus.BAD_REQUEST:
            raise Fault(f"{path}: refused: {_message(answer)}")
        items: list[Item] = json.loads(answer)["items"]
        return items

    def _call(self, verb: str, path: str, body: object = None) -> tuple[int, bytes]:
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        url = f"{self._client.configuration.host}{path}"
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, verb, body)
        try:
            answer = self._client.call_api(verb, url, headers, body, _request_timeout=_TIMEOUT_S)
            return answer.status, answer.read()
        except (HTTPError, OSError) as error:
            raise Unreachable(f"{url}: {error}") from error
        except ApiException as error:
            raise Unreachable(f"{url}: {error.reason}") from error


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return answer.decode("utf-8", "replace").strip()[:200] or "no reason given"
