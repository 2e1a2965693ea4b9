"""Where the configuration lies, and the keys of it that hooks and drivers ask for; nothing is loaded for them."""

from __future__ import annotations

CONFIG_PATH = ".kittify/config.yaml"
SECTION = "status"
LANES_KEY = "lanes"
PROFILES_KEY = "profiles"
PHASE_KEY = "phase"
