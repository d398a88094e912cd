"""What is claimed is what was asked for, and what cannot be claimed is refused: rollouts."""

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


def test_what_is_claimed_is_what_was_asked_for() -> None:
    assert [
        repr(guarantee)
        for guarantee in (
            autoscaled_in_mid_rollout("Deployment web", at_least=3, at_most=5),
            change_causes("Deployment web", {2: "b", 1: None}),
            daemon_set_bounds("DaemonSet agent"),
            ends_complete("Deployment web", within_s=9),
            min_ready_respected("Deployment web"),
            min_ready_respected("web", served_within_s=4),
            no_needless_restart("Deployment web"),
            no_needless_restart("web", step="scale", undo="set_image"),
            no_overlap_when_recreated("Deployment web"),
            nothing_rolls_while_paused("Deployment web"),
            only_new_pods_after_completion("Deployment web"),
            only_new_pods_after_completion("web", settle_s=3, connection=None),
            pods_named_by_template("Deployment web"),
            progress_deadline_reported("Deployment web"),
            progress_deadline_reported("web", slack_s=6, deadline_s=7),
            revision_numbers("Deployment web", [1], [2, 1]),
            revision_semantics("Deployment web"),
            revision_semantics("web", settle_s=6),
            rollout_blocked("Deployment web"),
            rollout_blocked("web", step="scale", undo="pause", pods=2, taken=1, at_least_s=11),
            rollout_bounds("Deployment web"),
            rollout_bounds("web", max_surge="30%", max_unavailable=1),
            rollout_completes_within(9, "Deployment web"),
            rollout_completes_within(9, "web", kind="DaemonSet", step="scale"),
            rollout_frozen("Deployment web", fault="stop"),
            rollout_frozen("web", fault="stop", at_least_s=0.5, settle_s=0),
            rollout_outlives_its_client(9, "Deployment web"),
            rollout_outlives_its_client(9, "web", kind="StatefulSet", step="scale", fault="kill"),
            rollout_reaches("Deployment web", pods=4, available=3),
            rollout_stalled("Deployment web"),
            rollout_stalled("web", reason_in=["A"], within_s=31, step="scale", undo="pause"),
            scaled_in_proportion("Deployment web"),
            scaled_in_proportion("web", within_pods=2),
            step_refused("Deployment web", "undo", "no rollout"),
            step_refused("web", "undo", "no rollout", detail="to 7"),
            step_skipped("Deployment web", "undo"),
            step_skipped("web", "undo", detail="to 7"),
            template_restored("Deployment web"),
            template_restored("web", step="scale", undo="pause"),
            undo_restores("Deployment web"),
            undo_restores("web", to_revision=2),
        )
    ] == [
        "AutoscaledInMidRollout(deployment='web', at_least=3, at_most=5)",
        "ChangeCauses(deployment='web', causes=((1, None), (2, 'b')))",
        "DaemonSetBounds(daemon_set='agent')",
        "EndsComplete(deployment='web', within_s=9)",
        "MinReadyRespected(deployment='web', served_within_s=3.0)",
        "MinReadyRespected(deployment='web', served_within_s=4)",
        "NoNeedlessRestart(deployment='web', step='set_image', undo='undo')",
        "NoNeedlessRestart(deployment='web', step='scale', undo='set_image')",
        "NoOverlapWhenRecreated(deployment='web')",
        "NothingRollsWhilePaused(deployment='web')",
        "OnlyNewPodsAfterCompletion(deployment='web', settle_s=2.0, connection='new')",
        "OnlyNewPodsAfterCompletion(deployment='web', settle_s=3, connection=None)",
        "PodsNamedByTemplate(deployment='web')",
        "ProgressDeadlineReported(deployment='web', slack_s=5.0, deadline_s=None)",
        "ProgressDeadlineReported(deployment='web', slack_s=6, deadline_s=7)",
        "RevisionNumbers(deployment='web', after_each=((1,), (1, 2)))",
        "RevisionSemantics(deployment='web', settle_s=5.0)",
        "RevisionSemantics(deployment='web', settle_s=6)",
        (
            "RolloutBlocked(deployment='web', step='set_image', undo='undo', pods=1,"
            " taken=0, at_least_s=10.0)"
        ),
        (
            "RolloutBlocked(deployment='web', step='scale', undo='pause', pods=2, taken=1,"
            " at_least_s=11)"
        ),
        "RolloutBounds(deployment='web', max_surge=None, max_unavailable=None)",
        "RolloutBounds(deployment='web', max_surge='30%', max_unavailable=1)",
        (
            "RolloutCompletesWithin(workload='web', kind='Deployment', at_most_s=9,"
            " step='set_image')"
        ),
        ("RolloutCompletesWithin(workload='web', kind='DaemonSet', at_most_s=9, step='scale')"),
        "RolloutFrozen(deployment='web', fault='stop', at_least_s=3.0, settle_s=1.0)",
        "RolloutFrozen(deployment='web', fault='stop', at_least_s=0.5, settle_s=0)",
        (
            "RolloutOutlivesItsClient(workload='web', kind='Deployment', at_most_s=9,"
            " step='set_image', fault='client_killed')"
        ),
        (
            "RolloutOutlivesItsClient(workload='web', kind='StatefulSet', at_most_s=9,"
            " step='scale', fault='kill')"
        ),
        "RolloutReaches(deployment='web', pods=4, available=3)",
        (
            "RolloutStalled(deployment='web', reasons=('ErrImagePull',"
            " 'ImagePullBackOff'), within_s=30.0, step='set_image', undo='undo')"
        ),
        (
            "RolloutStalled(deployment='web', reasons=('A',), within_s=31, step='scale',"
            " undo='pause')"
        ),
        "ScaledInProportion(deployment='web', within_pods=1)",
        "ScaledInProportion(deployment='web', within_pods=2)",
        ("StepChangesNothing(deployment='web', step='undo', saying='no rollout', detail=None)"),
        ("StepChangesNothing(deployment='web', step='undo', saying='no rollout', detail='to 7')"),
        "StepChangesNothing(deployment='web', step='undo', saying=None, detail=None)",
        "StepChangesNothing(deployment='web', step='undo', saying=None, detail='to 7')",
        "TemplateRestored(deployment='web', step='set_image', undo='undo')",
        "TemplateRestored(deployment='web', step='scale', undo='pause')",
        "UndoRestores(deployment='web', to_revision=None)",
        "UndoRestores(deployment='web', to_revision=2)",
    ]


def test_what_cannot_be_claimed_is_refused() -> None:
    assert [
        refused(make)
        for make in (
            lambda: rollout_frozen("web", fault="stop", at_least_s=0),
            lambda: rollout_frozen("web", fault="stop", settle_s=-1),
            lambda: rollout_completes_within(9, "web", kind="Job"),
            lambda: rollout_outlives_its_client(9, "web", kind="Job"),
        )
    ] == [
        "rollout_frozen's at_least_s and settle_s: must be positive\n  seen: 0, 1",
        "rollout_frozen's at_least_s and settle_s: must be positive\n  seen: 3, -1",
        (
            "kind Job: has no rollouts\n  next: name one of ('Deployment', 'StatefulSet',"
            " 'DaemonSet')"
        ),
        (
            "kind Job: has no rollouts\n  next: name one of ('Deployment', 'StatefulSet',"
            " 'DaemonSet')"
        ),
    ]
