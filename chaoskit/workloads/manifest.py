"""Manifests of users: read from YAML, with errors that name file, document, object and field."""

import io
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from chaoskit.errors import KubernetesError, UsageError
from chaoskit.kube.client import Kube
from chaoskit.kube.kinds import Object
from chaoskit.workloads.ref import ObjectRef

#: API versions that no server of today serves, and what took their place.
_REMOVED = {
    "extensions/v1beta1": "apps/v1 (workloads) or networking.k8s.io/v1 (Ingress)",
    "apps/v1beta1": "apps/v1",
    "apps/v1beta2": "apps/v1",
    "batch/v1beta1": "batch/v1",
    "policy/v1beta1": "policy/v1",
    "networking.k8s.io/v1beta1": "networking.k8s.io/v1",
    "autoscaling/v2beta1": "autoscaling/v2",
    "autoscaling/v2beta2": "autoscaling/v2",
}

_MERGED = "tag:yaml.org,2002:merge"  # the key "<<", which takes over an anchor's fields

_NEED_SELECTOR = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One object of a file: `document` counts from 1."""

    content: Object
    file: Path
    document: int

    @property
    def ref(self) -> ObjectRef:
        """The object's name."""
        return ObjectRef.of(self.content)

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}, document {self.document}, {self.ref}"

    def in_namespace(self, namespace: str) -> "Manifest":
        """The same object in another namespace (kinds without one ignore it)."""
        metadata = {**self.content["metadata"], "namespace": namespace}
        content = {**self.content, "metadata": metadata}
        return Manifest(content=content, file=self.file, document=self.document)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML libraries silently drop the first."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # Here, and not later: what "<<" takes over stands beside a mapping's own keys afterwards,
        # and another mapping that takes this one over may be the first that flattens it.
        if not getattr(node, "is_flat", False):
            self._require_once(node)
            node.is_flat = True  # type: ignore[attr-defined]
        super().flatten_mapping(node)

    def _require_once(self, node: yaml.MappingNode) -> None:
        seen: set[object] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGED:
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a field's name is no text", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)


def _as_kubectl_reads(loader: type[yaml.SafeLoader]) -> None:
    """Leave out what kubectl's reader has not: dates, and numbers to the base of 60.

    `created: 2026-01-31` and `- 12:30` are texts to it (sigs.k8s.io/yaml), and to the API.
    """
    unknown = [f"tag:yaml.org,2002:{name}" for name in ("timestamp", "int", "float")]
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if tag not in unknown]
        for first, rules in loader.yaml_implicit_resolvers.items()
    }
    for name, pattern, first in (
        ("int", r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)", "-+0123456789"),
        ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
        ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ):
        tag = f"tag:yaml.org,2002:{name}"
        loader.add_implicit_resolver(tag, re.compile(f"(?:{pattern})$"), list(first))


_as_kubectl_reads(_Loader)


def load(file: Path) -> list[Manifest]:
    """All objects of a YAML file, `List`s unpacked; checked as far as that needs no server.

    Raises `UsageError` naming file, document, object and field.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "cannot be read", subject=str(file), seen=error, next_step="name a readable file"
        ) from error
    except UnicodeDecodeError as error:
        raise _no_yaml(file, error) from error
    return parse(text, file)


def parse(text: str, file: Path) -> list[Manifest]:
    """The same of a text that was read already; `file` is its name in messages."""
    found: list[Manifest] = []
    for number, document in enumerate(_documents(text, file), start=1):
        for content in _items(document, f"{file}, document {number}"):
            manifest = Manifest(content=content, file=file, document=number)
            _check_fields(manifest)
            found.append(manifest)
    if not found:
        raise UsageError(
            "holds no objects", subject=str(file), next_step="name a file with manifests"
        )
    return found


def require_valid(kube: Kube, manifests: list[Manifest]) -> None:
    """Let the server check every object without storing it; raises `UsageError` for the first bad.

    Unknown and duplicate fields count as bad. Nothing is applied.
    """
    for manifest in manifests:
        try:
            kube.apply(manifest.content, dry_run=True)
        except KubernetesError as error:
            raise UsageError(
                "the API server refuses it; nothing was applied",
                subject=manifest.place,
                seen=refusal_of(manifest, error),
                next_step="correct the named field",
            ) from (None if manifest.content["kind"] == "Secret" else error)


def refusal_of(manifest: Manifest, error: KubernetesError) -> object:
    """What the server said of an object; of a Secret nothing, as it may repeat its values."""
    if manifest.content["kind"] == "Secret":
        return "what it said is not repeated, as it may show the secret"
    return error.seen or error.problem


def _documents(text: str, file: Path) -> list[object]:
    try:
        # From a stream: its errors show the place alone, and not the line, which may be a secret.
        return list(yaml.load_all(io.StringIO(text), Loader=_Loader))
    except yaml.YAMLError as error:
        raise _no_yaml(file, error) from error
    except ValueError as error:  # its words hold the value, which may be a secret
        raise _no_yaml(file, "a value is not of the type that it is written as") from error
    except RecursionError as error:
        raise _no_yaml(file, "lists or mappings too deep in one another") from error


def _no_yaml(file: Path, error: object) -> UsageError:
    return UsageError(
        "is no YAML", subject=str(file), seen=error, next_step="correct the place named"
    )


def _items(document: object, place: str) -> list[Object]:
    if document is None:  # an empty document, as after a closing ---
        return []
    if not isinstance(document, dict):
        raise _missing(place, "an object", "is no object but", type(document).__name__)
    if document.get("kind") == "List":
        items = document.get("items") or []
        if not isinstance(items, list):
            raise _missing(place, "items, a list", "has no list in", "items")
        return [item for inner in items for item in _items(inner, f"{place}, in its List")]
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str):
            raise _missing(place, field, "has no text in", field)
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise _missing(
            place, "metadata.name", f"{document['kind']} has no text in", "metadata.name"
        )
    return [document]


def _missing(place: str, field: str, problem: str, what: str) -> UsageError:
    return UsageError(f"{problem} {what}", subject=place, next_step=f"give {field}")


def _check_fields(manifest: Manifest) -> None:
    content = manifest.content
    if (successor := _REMOVED.get(content["apiVersion"])) is not None:
        raise UsageError(
            f"apiVersion {content['apiVersion']} is no longer served",
            subject=manifest.place,
            next_step=f"write {successor}",
        )
    # Others have kinds of the same names, which may need none.
    if content["kind"] in _NEED_SELECTOR and content["apiVersion"].startswith("apps/"):
        _check_selector(manifest, content.get("spec"))


def _check_selector(manifest: Manifest, spec: object) -> None:
    if not isinstance(spec, dict):
        raise _missing(manifest.place, "spec", "has no", "spec")
    if not isinstance(spec.get("selector"), dict):
        raise _missing(manifest.place, "spec.selector.matchLabels", "has no", "spec.selector")
    template = spec.get("template")
    labels = _at(template, "metadata", "labels")
    wanted = _at(spec["selector"], "matchLabels")
    for key, value in wanted.items():
        if labels.get(key) != value:
            raise UsageError(
                "spec.selector does not match spec.template.metadata.labels",
                subject=manifest.place,
                seen=f"{key}: {value!r} is selected, the template has {labels.get(key)!r}",
                next_step="make both equal",
            )


def _at(value: object, *path: str) -> Mapping[str, object]:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
