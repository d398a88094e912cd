"""Label selectors of Kubernetes: which objects one selects."""

from chaoskit.errors import RecordError
from chaoskit.guarantees.objects.watched import Object


def selects(selector: Object | None, labels: dict[str, str]) -> bool:
    """Whether a LabelSelector (policy/v1, apps/v1) matches an object's labels.

    None selects nothing, an empty one everything. Raises `RecordError` for an unknown operator.
    """
    if selector is None:
        return False
    exact = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in exact.items()):
        return False
    return all(_fits(each, labels) for each in selector.get("matchExpressions") or [])


def labels_of(obj: Object) -> dict[str, str]:
    """The labels of an object."""
    labels: dict[str, str] = obj["metadata"].get("labels") or {}
    return labels


def _fits(expression: Object, labels: dict[str, str]) -> bool:
    key, values = expression.get("key"), expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise RecordError(
        "has an operator that Kubernetes does not know",
        subject="a label selector",
        seen=expression.get("operator"),
    )
