"""Local models through Transformers. The only place that imports torch and transformers, and only when it is used."""
