"""The container engine's client, and which of our four errors each of its errors is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from provisioner.drivers import again
from provisioner.drivers.contract import Denied, DriverError, Gone, NoCapacity, Retry, Trouble

_BUSY_S: Final = 5.0
_THROTTLED_S: Final = 30.0
_TIMEOUTS_S: Final = (5, 20)
"""To connect, and to wait for the answer."""
_THROTTLED: Final = 429
_PASSING: Final = (_THROTTLED, 500, 502, 503, 504)
_CAPACITY_CODES: Final = ("LimitExceeded", "QuotaExceeded")
_CAPACITY_TEXTS: Final = ("out of host capacity", "out of capacity", "limitexceeded", "quotaexceeded")
"""Parts of messages by which work requests and nodes say that there is no machine to be had."""


class Credentials(Protocol):
    """What a client is made of: a configuration, and a signer unless the configuration is enough."""

    @property
    def config(self) -> Mapping[str, str]:
        """As `oci.config` reads it."""

    def signer(self) -> Any:
        """The signer, or None."""


class WorkloadIdentity:
    """The pod's own ServiceAccount, exchanged for a token by the cluster.

    Reads OCI_RESOURCE_PRINCIPAL_VERSION and _REGION, KUBERNETES_SERVICE_HOST and
    OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH from the environment, as the SDK does.
    """

    def __init__(self, token_path: str | None = None) -> None:
        self._token_path = token_path
        self.config: Mapping[str, str] = {}

    def signer(self) -> Any:
        """A signer that renews itself."""
        import oci

        return oci.auth.signers.get_oke_workload_identity_resource_principal_signer(
            service_account_token_path=self._token_path,
            # The SDK's own one lets the controller stand still for minutes.
            retry_strategy=oci.retry.RetryStrategyBuilder(
                max_attempts=again.TRIES,
                total_elapsed_time_seconds=again.LONGEST_S,
                retry_base_sleep_time_seconds=again.FIRST_WAIT_S,
                retry_max_wait_between_calls_seconds=again.LONGEST_WAIT_S,
                backoff_type=oci.retry.BACKOFF_FULL_JITTER_VALUE,
            ).get_retry_strategy(),
        )


def client(credentials: Credentials, endpoint: str = "") -> Any:
    """A client that tries once: what happens after an error is decided here, not in the SDK.

    Raises Denied for credentials that cannot be used, Retry for an identity that is not accepted yet.
    """
    import oci

    options: dict[str, Any] = {
        "retry_strategy": oci.retry.NoneRetryStrategy(),
        # It would ask nothing for half a minute after ten errors in a row, which are two rounds.
        "circuit_breaker_strategy": oci.circuit_breaker.NoCircuitBreakerStrategy(),
        "timeout": _TIMEOUTS_S,
    }
    if endpoint:
        options["service_endpoint"] = endpoint
    with translated(about_existing=False):
        signer = credentials.signer()
        if signer is not None:
            options["signer"] = signer
        return oci.container_engine.ContainerEngineClient(dict(credentials.config), **options)


def call(method: Callable[..., Any], *arguments: Any, about_existing: bool, **named: Any) -> Any:
    """Call an API once; raises our errors."""
    with translated(about_existing=about_existing):
        return method(*arguments, **named)


@contextmanager
def translated(*, about_existing: bool) -> Iterator[None]:
    """Raise the SDK's errors as ours.

    A 404 about something that was there means that it is gone; about something new it means that
    a thing it refers to is not there, or may not be used.
    """
    import oci
    import requests
    from circuitbreaker import CircuitBreakerError

    try:
        yield
    except CircuitBreakerError as error:
        # Of a signer: the SDK asks nothing for half a minute after ten errors.
        raise Retry(f"the container engine was busy too often: {error}", _BUSY_S) from error
    except oci.exceptions.ServiceError as error:
        raise classify(error.status, error.code, error.message, about_existing=about_existing) from error
    except (oci.exceptions.RequestException, requests.exceptions.RequestException) as error:
        raise Trouble(f"the container engine cannot be reached: {error}", _BUSY_S) from error
    except (RuntimeError, OSError) as error:
        # What the signer raises when the exchange of the pod's token does not work now.
        raise Retry(f"the pod's identity is not accepted: {error}", _BUSY_S) from error
    except (oci.exceptions.ClientError, oci.exceptions.InvalidConfig, ValueError) as error:
        raise Denied(f"the container engine's client refuses: {error}") from error


def classify(status: int, code: str, message: str, *, about_existing: bool) -> DriverError:
    """Which of our errors an answer of the container engine is."""
    said = f"{code} ({status}): {message}"
    if code in _CAPACITY_CODES or is_about_capacity(message):
        return NoCapacity(said)
    if status == 404 and about_existing:  # noqa: PLR2004 (HTTP)
        return Gone(said)
    if status in {409, 412}:
        return Retry(said, _BUSY_S)
    if status in _PASSING or status <= 0:  # -1 is the SDK's for no answer
        return Trouble(said, _THROTTLED_S if status == _THROTTLED else _BUSY_S)
    return Retry(said, _BUSY_S) if status >= 500 else Denied(said)  # noqa: PLR2004 (HTTP)


def is_about_capacity(message: str) -> bool:
    """Whether a message of the cloud says that there is no machine to be had."""
    text = message.lower()
    return any(part in text for part in _CAPACITY_TEXTS)
