"""Mathematics without I/O: Bayes, cascades, planner control, Shapley, topologies, information, opinion dynamics."""
