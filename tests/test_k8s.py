"""The Kubernetes manifests render, fit the schemas, and keep the promises of a careful operator."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
BASE = ROOT / "k8s" / "base"


def render() -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        reason = "kubectl is not installed, so the manifests cannot be rendered"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    command = ["kubectl", "kustomize", str(BASE)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True)
    assert rendered.stderr == ""
    return [document for document in yaml.safe_load_all(rendered.stdout) if document]


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict[str, Any]]:
    """The rendered documents by kind; there is one of each."""
    documents = render()
    by_kind = {document["kind"]: document for document in documents}
    assert len(by_kind) == len(documents)
    return by_kind


@pytest.fixture(scope="module")
def pod(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    template: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return template


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (server,) = [each for each in pod["containers"] if each["name"] == "server"]
    return dict(server)


@pytest.fixture(scope="module")
def sql(pod: dict[str, Any]) -> dict[str, Any]:
    """The container in which visitors' SQL runs."""
    (backend,) = [each for each in pod["containers"] if each["name"] == "sql"]
    return dict(backend)


def test_every_manifest_fits_the_schema_of_its_kind(manifests: dict[str, dict[str, Any]]) -> None:
    version = kubernetes_validate.latest_version()

    for document in manifests.values():
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_would_be_noticed(manifests: dict[str, dict[str, Any]]) -> None:
    service = manifests["Service"]
    broken = {**service, "spec": {**service["spec"], "selektor": {}}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


def test_every_file_of_the_base_is_part_of_it() -> None:
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    files = {path.name for path in BASE.iterdir()} - {"kustomization.yaml"}

    assert set(kustomization["resources"]) == files


def test_no_secret_is_kept_with_the_manifests(
    manifests: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    assert "Secret" not in manifests
    settings = {each["name"]: each for each in container["env"]}
    assert set(settings["BOKEH_SECRET_KEY"]) == {"name", "valueFrom"}
    assert "secretKeyRef" in settings["BOKEH_SECRET_KEY"]["valueFrom"]
    assert not any("SECRET" in name for name in manifests["ConfigMap"]["data"])


def test_sessions_are_signed_so_that_any_replica_accepts_them(
    manifests: dict[str, dict[str, Any]],
) -> None:
    assert manifests["ConfigMap"]["data"]["BOKEH_SIGN_SESSIONS"] == "true"


def test_the_image_is_the_one_of_this_version(container: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert container["image"] == f"{project['name']}:{project['version']}"


def test_the_pod_has_no_rights_that_it_does_not_need(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))


def test_what_must_be_written_is_on_a_volume(
    manifests: dict[str, dict[str, Any]], pod: dict[str, Any], container: dict[str, Any]
) -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    claim = manifests["PersistentVolumeClaim"]["metadata"]["name"]

    assert volumes[mounts["/data"]]["persistentVolumeClaim"]["claimName"] == claim
    assert "emptyDir" in volumes[mounts["/tmp"]]


def test_a_volume_for_one_node_is_never_wanted_by_two_pods(
    manifests: dict[str, dict[str, Any]],
) -> None:
    modes = manifests["PersistentVolumeClaim"]["spec"]["accessModes"]
    deployment = manifests["Deployment"]["spec"]

    assert modes == ["ReadWriteOnce"]
    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate"}


def test_probes_ask_the_health_pages_and_never_run_the_application(
    container: dict[str, Any],
) -> None:
    paths = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }

    assert paths == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }


def test_a_pod_leaves_the_service_before_it_stops(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    program, seconds = container["lifecycle"]["preStop"]["exec"]["command"]

    assert program == "sleep"
    assert 5 <= int(seconds) < pod["terminationGracePeriodSeconds"]


def test_the_service_the_policy_and_the_deployment_mean_the_same_pods(
    manifests: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests["Service"]["spec"]["selector"] == labels
    assert manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert container["ports"] == [{"name": "http", "containerPort": 5006}]
    assert manifests["Service"]["spec"]["ports"][0]["targetPort"] == "http"


def test_nothing_may_be_asked_of_the_network_from_inside_a_pod(
    manifests: dict[str, dict[str, Any]],
) -> None:
    policy = manifests["NetworkPolicy"]["spec"]

    assert "Egress" in policy["policyTypes"]
    assert not policy.get("egress")


def test_memory_is_bounded_and_asked_for(container: dict[str, Any]) -> None:
    resources = container["resources"]

    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


def test_visitors_sql_runs_as_another_user_who_can_only_read_the_data(
    pod: dict[str, Any], sql: dict[str, Any]
) -> None:
    mounts = {mount["name"]: mount for mount in sql["volumeMounts"]}

    assert len(pod["containers"]) == 2
    assert sql["securityContext"] == {
        "runAsUser": 10002,
        "runAsGroup": 10002,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert mounts["data"] == {"name": "data", "mountPath": "/data", "readOnly": True}
    assert set(mounts) == {"data", "run"}
    assert "memory" in sql["resources"]["limits"]
    assert "envFrom" not in sql
    assert "ports" not in sql


def test_server_and_sql_know_each_other_and_nothing_else_of_each_other(
    pod: dict[str, Any], container: dict[str, Any], sql: dict[str, Any]
) -> None:
    settings = {each["name"]: each for each in container["env"]}
    own = {each["name"]: each for each in sql["env"]}
    folders = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}

    assert own["TIMES_SQL_TOKEN"] == settings["TIMES_SQL_TOKEN"]
    assert set(own["TIMES_SQL_TOKEN"]) == {"name", "valueFrom"}
    assert "BOKEH_SECRET_KEY" not in own
    socket = settings["TIMES_SQL_SERVICE"]["value"].removeprefix("unix:")
    assert sql["command"][-2:] == ["--socket", socket]
    assert Path(socket).parent == Path(folders["run"])
    assert sql["image"] == container["image"]
    assert sql["lifecycle"] == container["lifecycle"]
    assert "emptyDir" in {each["name"]: each for each in pod["volumes"]}["run"]


def test_pages_have_the_larger_share_of_the_processors(
    container: dict[str, Any], sql: dict[str, Any]
) -> None:
    def share(each: dict[str, Any]) -> int:
        return int(each["resources"]["requests"]["cpu"].removesuffix("m"))

    assert share(container) >= 5 * share(sql)


def test_every_object_carries_the_name_of_the_application(
    manifests: dict[str, dict[str, Any]],
) -> None:
    for document in manifests.values():
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "times-energy-analytics"
