"""Who told whom what, and what it was worth: measures of information flow. In bits (log2) unless said otherwise.

Log-probabilities come in as nats. Estimates of non-negative quantities are never clipped. Undefined figures are NaN,
undefined times, depths and counts None; -inf and +inf are values.

Exact: `provenance`, `fact_trace`, `trees` (facts); `belief`, `asking`, `leakage` (Bayes); `logprob` (model-based);
`influence`, `labels` (interventions); `entropy`, `transfer`, `decomposition`, `gaussian` (known laws). From samples:
`sampled`, each with its null; `samples`, `emergence`, `continuous` without. Beside: `opinions`, `coupling`.
"""

from tidings.theory.information.asking import (
    best_question,
    conformal_entropy_bound,
    conformal_threshold,
    expected_information_gain,
)
from tidings.theory.information.belief import (
    bayes_regret,
    belief_shift,
    brier_score,
    claim_score,
    expected_bayes_regret,
    log_score_gain,
    semantic_mutual_information,
)
from tidings.theory.information.continuous import (
    mutual_information_ksg,
)
from tidings.theory.information.coupling import (
    RajskiDistance,
    SolvabilityLint,
    gacs_korner_common_information,
    greedy_coupling_entropy,
    rajski_distance,
    solvability_lint,
)
from tidings.theory.information.decomposition import (
    PidAtoms,
    partial_information_decomposition,
    pid_atom,
)
from tidings.theory.information.emergence import (
    coalition_synergy,
    emergence_decomposition,
    identity_surrogate,
    macro_synergy,
    shift_surrogate,
)
from tidings.theory.information.entropy import (
    channel_mutual_information,
    conditional_mutual_information,
    entropy,
    kl_divergence,
    mutual_information,
)
from tidings.theory.information.fact_trace import (
    FactTrace,
    trace_facts,
)
from tidings.theory.information.gaussian import (
    gaussian_conditional_mutual_information,
    gaussian_mutual_information,
    transfer_entropy_var1,
)
from tidings.theory.information.influence import (
    causal_influence_of_communication,
    leave_one_out_influence,
    shapley_values,
    social_influence,
    speaker_consistency,
)
from tidings.theory.information.labels import (
    minimal_labels,
)
from tidings.theory.information.leakage import (
    Leakage,
    information_leakage,
)
from tidings.theory.information.logprob import (
    InformationDensity,
    census_mutual_information_from_logprobs,
    information_density_increments,
    mutual_information_from_logprobs,
)
from tidings.theory.information.nulls import (
    PermutationNull,
    SampledMeasure,
    permutation_null,
)
from tidings.theory.information.opinions import (
    degroot_consensus,
    disagreement,
    friedkin_johnsen_equilibrium,
    polarization,
)
from tidings.theory.information.provenance import (
    fact_flow,
)
from tidings.theory.information.sampled import (
    sampled_conditional_mutual_information,
    sampled_mutual_information,
    sampled_pid_atom,
    sampled_time_delayed_mutual_information,
    sampled_transfer_entropy,
)
from tidings.theory.information.samples import (
    mutual_information_miller_madow,
    mutual_information_plugin,
    transfer_entropy_miller_madow,
    transfer_entropy_plugin,
)
from tidings.theory.information.transfer import (
    directed_information,
    time_delayed_mutual_information_exact,
    transfer_entropy_exact,
)
from tidings.theory.information.trees import (
    TreeShape,
    cascade_depth,
    structural_virality,
    tree_shapes,
)

__all__ = [
    "FactTrace",
    "InformationDensity",
    "Leakage",
    "PermutationNull",
    "PidAtoms",
    "RajskiDistance",
    "SampledMeasure",
    "SolvabilityLint",
    "TreeShape",
    "bayes_regret",
    "belief_shift",
    "best_question",
    "brier_score",
    "cascade_depth",
    "causal_influence_of_communication",
    "census_mutual_information_from_logprobs",
    "channel_mutual_information",
    "claim_score",
    "coalition_synergy",
    "conditional_mutual_information",
    "conformal_entropy_bound",
    "conformal_threshold",
    "degroot_consensus",
    "directed_information",
    "disagreement",
    "emergence_decomposition",
    "entropy",
    "expected_bayes_regret",
    "expected_information_gain",
    "fact_flow",
    "friedkin_johnsen_equilibrium",
    "gacs_korner_common_information",
    "gaussian_conditional_mutual_information",
    "gaussian_mutual_information",
    "greedy_coupling_entropy",
    "identity_surrogate",
    "information_density_increments",
    "information_leakage",
    "kl_divergence",
    "leave_one_out_influence",
    "log_score_gain",
    "macro_synergy",
    "minimal_labels",
    "mutual_information",
    "mutual_information_from_logprobs",
    "mutual_information_ksg",
    "mutual_information_miller_madow",
    "mutual_information_plugin",
    "partial_information_decomposition",
    "permutation_null",
    "pid_atom",
    "polarization",
    "rajski_distance",
    "sampled_conditional_mutual_information",
    "sampled_mutual_information",
    "sampled_pid_atom",
    "sampled_time_delayed_mutual_information",
    "sampled_transfer_entropy",
    "semantic_mutual_information",
    "shapley_values",
    "shift_surrogate",
    "social_influence",
    "solvability_lint",
    "speaker_consistency",
    "structural_virality",
    "time_delayed_mutual_information_exact",
    "trace_facts",
    "transfer_entropy_exact",
    "transfer_entropy_miller_madow",
    "transfer_entropy_plugin",
    "transfer_entropy_var1",
    "tree_shapes",
]
