"""The rules of one kind of situation, frozen and pure: no model, no network, no clock, no file."""
