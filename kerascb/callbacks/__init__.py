"""The callbacks, one a module, each named after its class."""
