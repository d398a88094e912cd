"""Guarantees: pure functions of a record, each with a constructor that reads like its claim."""

from chaoskit.guarantees.attribution import error_classes_within, failures_attributed
from chaoskit.guarantees.harness.load_health import load_was_enough
from chaoskit.guarantees.harness.nothing_left import nothing_left
from chaoskit.guarantees.harness.sampler_agreement import sampler_agrees
from chaoskit.guarantees.network.names import names_answer_again, names_fail
from chaoskit.guarantees.network.paths import (
    other_paths_unchanged,
    path_delayed,
    path_loses,
    path_narrowed,
    paths_as_before,
)
from chaoskit.guarantees.network.slow_node import slow_node_named
from chaoskit.guarantees.pods.bare import never_made_again
from chaoskit.guarantees.pods.disruption_budget import disruption_budget_respected
from chaoskit.guarantees.pods.eviction import evicted_between, not_evicted
from chaoskit.guarantees.pods.evictions import evictions_stop, pods_evicted_within
from chaoskit.guarantees.pods.evictions_wait import evictions_wait
from chaoskit.guarantees.pods.idle_nodes import nothing_bound, nothing_starts
from chaoskit.guarantees.pods.kept_numbers import pods_stay, ready_endpoints_stay
from chaoskit.guarantees.pods.moving import moves_off_within, no_surplus_after
from chaoskit.guarantees.pods.no_restart import no_container_restarted
from chaoskit.guarantees.pods.node_reasons import node_reason_shown
from chaoskit.guarantees.pods.one_per_node import one_per_node
from chaoskit.guarantees.pods.only_images import only_images
from chaoskit.guarantees.pods.ready_nodes import nodes_stay_ready
from chaoskit.guarantees.pods.reasons import reason_shown
from chaoskit.guarantees.pods.recovery import (
    node_not_ready_within,
    ordinary_delete_sticks,
    recovers_within,
)
from chaoskit.guarantees.pods.restarts import restarts_back_off
from chaoskit.guarantees.pods.same_pods import same_pods_come_back
from chaoskit.guarantees.pods.steps_fail import steps_fail
from chaoskit.guarantees.pods.termination import termination_in_order
from chaoskit.guarantees.pods.untouched import runs_untouched
from chaoskit.guarantees.requests.availability import availability, no_request_lost
from chaoskit.guarantees.requests.degradation import degradation
from chaoskit.guarantees.requests.failing_at_once import failing_at_once
from chaoskit.guarantees.requests.latency import latency
from chaoskit.guarantees.requests.loss import requests_lost
from chaoskit.guarantees.requests.outage import outage
from chaoskit.guarantees.requests.service_recovery import service_recovers_within
from chaoskit.guarantees.requests.traffic_split import traffic_split
from chaoskit.guarantees.requests.versions import only_versions
from chaoskit.guarantees.rollouts.after_completion import only_new_pods_after_completion
from chaoskit.guarantees.rollouts.autoscaled import autoscaled_in_mid_rollout
from chaoskit.guarantees.rollouts.bad_rollout import (
    no_needless_restart,
    rollout_stalled,
    template_restored,
)
from chaoskit.guarantees.rollouts.blocked import rollout_blocked
from chaoskit.guarantees.rollouts.bounds_reached import rollout_reaches
from chaoskit.guarantees.rollouts.daemon_set_bounds import daemon_set_bounds
from chaoskit.guarantees.rollouts.ends_complete import ends_complete
from chaoskit.guarantees.rollouts.frozen import rollout_frozen
from chaoskit.guarantees.rollouts.min_ready import min_ready_respected
from chaoskit.guarantees.rollouts.paused import nothing_rolls_while_paused
from chaoskit.guarantees.rollouts.pod_names import pods_named_by_template
from chaoskit.guarantees.rollouts.progress_deadline import progress_deadline_reported
from chaoskit.guarantees.rollouts.proportional import scaled_in_proportion
from chaoskit.guarantees.rollouts.recreate import no_overlap_when_recreated
from chaoskit.guarantees.rollouts.refusals import step_refused, step_skipped
from chaoskit.guarantees.rollouts.revision_history import change_causes, revision_numbers
from chaoskit.guarantees.rollouts.revisions import revision_semantics
from chaoskit.guarantees.rollouts.rollout import rollout_bounds
from chaoskit.guarantees.rollouts.rollout_completion import (
    rollout_completes_within,
    rollout_outlives_its_client,
)
from chaoskit.guarantees.rollouts.undo import undo_restores
from chaoskit.guarantees.stateful_sets.claims import claims_stay
from chaoskit.guarantees.stateful_sets.direct_answers import (
    hostnames_match,
    members_answer_through_proxy,
)
from chaoskit.guarantees.stateful_sets.duplicates import duplicate_ends_within, name_stays_taken
from chaoskit.guarantees.stateful_sets.halted import halted, members_run
from chaoskit.guarantees.stateful_sets.identity import (
    forced_deletion_overlap,
    one_process_per_identity,
)
from chaoskit.guarantees.stateful_sets.made_at_once import made_at_once
from chaoskit.guarantees.stateful_sets.names import names_follow_members
from chaoskit.guarantees.stateful_sets.no_order import members_do_not_wait
from chaoskit.guarantees.stateful_sets.ordinal_order import ordinals_in_order
from chaoskit.guarantees.stateful_sets.stable_identity import stable_identity
from chaoskit.guarantees.stateful_sets.touched import only_members_touched
from chaoskit.guarantees.stateful_sets.volumes import volumes_follow_claims
from chaoskit.guarantees.stateful_sets.writes import acknowledged_writes_survive

__all__ = [
    "acknowledged_writes_survive",
    "autoscaled_in_mid_rollout",
    "availability",
    "change_causes",
    "claims_stay",
    "daemon_set_bounds",
    "degradation",
    "disruption_budget_respected",
    "duplicate_ends_within",
    "ends_complete",
    "error_classes_within",
    "evicted_between",
    "evictions_stop",
    "evictions_wait",
    "failing_at_once",
    "failures_attributed",
    "forced_deletion_overlap",
    "halted",
    "hostnames_match",
    "latency",
    "load_was_enough",
    "made_at_once",
    "members_answer_through_proxy",
    "members_do_not_wait",
    "members_run",
    "min_ready_respected",
    "moves_off_within",
    "name_stays_taken",
    "names_answer_again",
    "names_fail",
    "names_follow_members",
    "never_made_again",
    "no_container_restarted",
    "no_needless_restart",
    "no_overlap_when_recreated",
    "no_request_lost",
    "no_surplus_after",
    "node_not_ready_within",
    "node_reason_shown",
    "nodes_stay_ready",
    "not_evicted",
    "nothing_bound",
    "nothing_left",
    "nothing_rolls_while_paused",
    "nothing_starts",
    "one_per_node",
    "one_process_per_identity",
    "only_images",
    "only_members_touched",
    "only_new_pods_after_completion",
    "only_versions",
    "ordinals_in_order",
    "ordinary_delete_sticks",
    "other_paths_unchanged",
    "outage",
    "path_delayed",
    "path_loses",
    "path_narrowed",
    "paths_as_before",
    "pods_evicted_within",
    "pods_named_by_template",
    "pods_stay",
    "progress_deadline_reported",
    "ready_endpoints_stay",
    "reason_shown",
    "recovers_within",
    "requests_lost",
    "restarts_back_off",
    "revision_numbers",
    "revision_semantics",
    "rollout_blocked",
    "rollout_bounds",
    "rollout_completes_within",
    "rollout_frozen",
    "rollout_outlives_its_client",
    "rollout_reaches",
    "rollout_stalled",
    "runs_untouched",
    "same_pods_come_back",
    "sampler_agrees",
    "scaled_in_proportion",
    "service_recovers_within",
    "slow_node_named",
    "stable_identity",
    "step_refused",
    "step_skipped",
    "steps_fail",
    "template_restored",
    "termination_in_order",
    "traffic_split",
    "undo_restores",
    "volumes_follow_claims",
]
