"""Creates, reads, lists, patches, watches and deletes Secrets with the Python client; prints ok."""
import base64
import sys

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
value = base64.b64encode(b"from Python").decode()


def secret(name):
    return client.V1Secret(metadata=client.V1ObjectMeta(name=name, labels={"from": "python"}), data={"a": value})


created = core.create_namespaced_secret("default", secret("python-1"))
assert created.type == "Opaque" and created.metadata.uid, created.metadata
assert core.read_namespaced_secret("python-1", "default").data == {"a": value}

listed = core.list_namespaced_secret("default", label_selector="from=python")
assert [item.metadata.name for item in listed.items] == ["python-1"]

# A watch from the list on sees what comes after it, in order.
core.create_namespaced_secret("default", secret("python-2"))
core.patch_namespaced_secret("python-2", "default", {"stringData": {"b": "patched"}})
core.delete_namespaced_secret("python-2", "default")
seen = []
watching = watch.Watch()
for event in watching.stream(core.list_namespaced_secret, "default", label_selector="from=python",
                             resource_version=listed.metadata.resource_version, timeout_seconds=30):
    seen.append((event["type"], event["object"].metadata.name))
    if len(seen) == 3:
        watching.stop()
assert seen == [("ADDED", "python-2"), ("MODIFIED", "python-2"), ("DELETED", "python-2")], seen

try:
    core.create_namespaced_secret("default", secret("python-1"))
    raise AssertionError("a second Secret of the same name")
except ApiException as error:
    assert error.status == 409 and "AlreadyExists" in error.body, error.body

deleted = core.delete_namespaced_secret("python-1", "default")
assert deleted.status == "Success", deleted
assert [kind.name for kind in core.get_api_resources().resources if kind.name == "secrets"] == ["secrets"]
assert client.VersionApi().get_code().git_version.startswith("v1.36.")
print("ok")
