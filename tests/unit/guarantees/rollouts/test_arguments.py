"""What is claimed is what was asked for, and what cannot be claimed is refused: rollouts."""

from collections.abc import Callable

from chaoskit.guarantees import (
    autoscaled_in_mid_rollout,
    change_causes,
    daemon_set_bounds,
    ends_complete,
    min_ready_respected,
    no_needless_restart,
    no_overlap_when_recreated,
    nothing_rolls_while_paused,
    only_new_pods_after_completion,
    pods_named_by_template,
    progress_deadline_reported,
    revision_numbers,
    revision_semantics,
    rollout_blocked,
    rollout_bounds,
    rollout_completes_within,
    rollout_frozen,
    rollout_outlives_its_client,
    rollout_reaches,
    rollout_stalled,
    scaled_in_proportion,
    step_refused,
    step_skipped,
    template_restored,
    undo_restores,
)
from tests.corpus.verdicts import refused

#: Claims, made only when they are tested: else by no mutant of what makes them.
CLAIMED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: autoscaled_in_mid_rollout("Deployment web", at_least=3, at_most=5),
        "AutoscaledInMidRollout(deployment='web', at_least=3, at_most=5)",
    ),
    (
        lambda: change_causes("Deployment web", {2: "b", 1: None}),
        "ChangeCauses(deployment='web', causes=((1, None), (2, 'b')))",
    ),
    (lambda: daemon_set_bounds("DaemonSet agent"), "DaemonSetBounds(daemon_set='agent')"),
    (
        lambda: ends_complete("Deployment web", within_s=9),
        "EndsComplete(deployment='web', within_s=9)",
    ),
    (
        lambda: min_ready_respected("Deployment web"),
        "MinReadyRespected(deployment='web', served_within_s=3.0)",
    ),
    (
        lambda: min_ready_respected("web", served_within_s=4),
        "MinReadyRespected(deployment='web', served_within_s=4)",
    ),
    (
        lambda: no_needless_restart("Deployment web"),
        "NoNeedlessRestart(deployment='web', step='set_image', undo='undo')",
    ),
    (
        lambda: no_needless_restart("web", step="scale", undo="set_image"),
        "NoNeedlessRestart(deployment='web', step='scale', undo='set_image')",
    ),
    (
        lambda: no_overlap_when_recreated("Deployment web"),
        "NoOverlapWhenRecreated(deployment='web')",
    ),
    (
        lambda: nothing_rolls_while_paused("Deployment web"),
        "NothingRollsWhilePaused(deployment='web')",
    ),
    (
        lambda: only_new_pods_after_completion("Deployment web"),
        "OnlyNewPodsAfterCompletion(deployment='web', settle_s=2.0, connection='new')",
    ),
    (
        lambda: only_new_pods_after_completion("web", settle_s=3, connection=None),
        "OnlyNewPodsAfterCompletion(deployment='web', settle_s=3, connection=None)",
    ),
    (lambda: pods_named_by_template("Deployment web"), "PodsNamedByTemplate(deployment='web')"),
    (
        lambda: progress_deadline_reported("Deployment web"),
        "ProgressDeadlineReported(deployment='web', slack_s=5.0, deadline_s=None)",
    ),
    (
        lambda: progress_deadline_reported("web", slack_s=6, deadline_s=7),
        "ProgressDeadlineReported(deployment='web', slack_s=6, deadline_s=7)",
    ),
    (
        lambda: revision_numbers("Deployment web", [1], [2, 1]),
        "RevisionNumbers(deployment='web', after_each=((1,), (1, 2)))",
    ),
    (
        lambda: revision_semantics("Deployment web"),
        "RevisionSemantics(deployment='web', settle_s=5.0)",
    ),
    (
        lambda: revision_semantics("web", settle_s=6),
        "RevisionSemantics(deployment='web', settle_s=6)",
    ),
    (
        lambda: rollout_blocked("Deployment web"),
        (
            "RolloutBlocked(deployment='web', step='set_image', undo='undo', pods=1, taken=0,"
            " at_least_s=10.0)"
        ),
    ),
    (
        lambda: rollout_blocked("web", step="scale", undo="pause", pods=2, taken=1, at_least_s=11),
        (
            "RolloutBlocked(deployment='web', step='scale', undo='pause', pods=2, taken=1,"
            " at_least_s=11)"
        ),
    ),
    (
        lambda: rollout_bounds("Deployment web"),
        "RolloutBounds(deployment='web', max_surge=None, max_unavailable=None)",
    ),
    (
        lambda: rollout_bounds("web", max_surge="30%", max_unavailable=1),
        "RolloutBounds(deployment='web', max_surge='30%', max_unavailable=1)",
    ),
    (
        lambda: rollout_completes_within(9, "Deployment web"),
        (
            "RolloutCompletesWithin(workload='web', kind='Deployment', at_most_s=9,"
            " step='set_image')"
        ),
    ),
    (
        lambda: rollout_completes_within(9, "web", kind="DaemonSet", step="scale"),
        "RolloutCompletesWithin(workload='web', kind='DaemonSet', at_most_s=9, step='scale')",
    ),
    (
        lambda: rollout_frozen("Deployment web", fault="stop"),
        "RolloutFrozen(deployment='web', fault='stop', at_least_s=3.0, settle_s=1.0)",
    ),
    (
        lambda: rollout_frozen("web", fault="stop", at_least_s=0.5, settle_s=0),
        "RolloutFrozen(deployment='web', fault='stop', at_least_s=0.5, settle_s=0)",
    ),
    (
        lambda: rollout_outlives_its_client(9, "Deployment web"),
        (
            "RolloutOutlivesItsClient(workload='web', kind='Deployment', at_most_s=9,"
            " step='set_image', fault='client_killed')"
        ),
    ),
    (
        lambda: rollout_outlives_its_client(
            9, "web", kind="StatefulSet", step="scale", fault="kill"
        ),
        (
            "RolloutOutlivesItsClient(workload='web', kind='StatefulSet', at_most_s=9,"
            " step='scale', fault='kill')"
        ),
    ),
    (
        lambda: rollout_reaches("Deployment web", pods=4, available=3),
        "RolloutReaches(deployment='web', pods=4, available=3)",
    ),
    (
        lambda: rollout_stalled("Deployment web"),
        (
            "RolloutStalled(deployment='web', reasons=('ErrImagePull', 'ImagePullBackOff'),"
            " within_s=30.0, step='set_image', undo='undo')"
        ),
    ),
    (
        lambda: rollout_stalled("web", reason_in=["A"], within_s=31, step="scale", undo="pause"),
        (
            "RolloutStalled(deployment='web', reasons=('A',), within_s=31, step='scale',"
            " undo='pause')"
        ),
    ),
    (
        lambda: scaled_in_proportion("Deployment web"),
        "ScaledInProportion(deployment='web', within_pods=1)",
    ),
    (
        lambda: scaled_in_proportion("web", within_pods=2),
        "ScaledInProportion(deployment='web', within_pods=2)",
    ),
    (
        lambda: step_refused("Deployment web", "undo", "no rollout"),
        "StepChangesNothing(deployment='web', step='undo', saying='no rollout', detail=None)",
    ),
    (
        lambda: step_refused("web", "undo", "no rollout", detail="to 7"),
        ("StepChangesNothing(deployment='web', step='undo', saying='no rollout', detail='to 7')"),
    ),
    (
        lambda: step_skipped("Deployment web", "undo"),
        "StepChangesNothing(deployment='web', step='undo', saying=None, detail=None)",
    ),
    (
        lambda: step_skipped("web", "undo", detail="to 7"),
        "StepChangesNothing(deployment='web', step='undo', saying=None, detail='to 7')",
    ),
    (
        lambda: template_restored("Deployment web"),
        "TemplateRestored(deployment='web', step='set_image', undo='undo')",
    ),
    (
        lambda: template_restored("web", step="scale", undo="pause"),
        "TemplateRestored(deployment='web', step='scale', undo='pause')",
    ),
    (lambda: undo_restores("Deployment web"), "UndoRestores(deployment='web', to_revision=None)"),
    (lambda: undo_restores("web", to_revision=2), "UndoRestores(deployment='web', to_revision=2)"),
]

#: What cannot be claimed, and what is said against it.
REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: rollout_frozen("web", fault="stop", at_least_s=0),
        "rollout_frozen's at_least_s and settle_s: must be positive\n  seen: 0, 1",
    ),
    (
        lambda: rollout_frozen("web", fault="stop", settle_s=-1),
        "rollout_frozen's at_least_s and settle_s: must be positive\n  seen: 3, -1",
    ),
    (
        lambda: rollout_completes_within(9, "web", kind="Job"),
        (
            "kind Job: has no rollouts\n  next: name one of ('Deployment', 'StatefulSet',"
            " 'DaemonSet')"
        ),
    ),
    (
        lambda: rollout_outlives_its_client(9, "web", kind="Job"),
        (
            "kind Job: has no rollouts\n  next: name one of ('Deployment', 'StatefulSet',"
            " 'DaemonSet')"
        ),
    ),
]


def test_what_is_claimed_is_what_was_asked_for() -> None:
    for make, claimed in CLAIMED:
        assert repr(make()) == claimed


def test_what_cannot_be_claimed_is_refused() -> None:
    for make, said in REFUSED:
        assert refused(make) == said
