"""The scenario schema. Knows no implementation: validating YAML loads neither an environment nor a model."""
