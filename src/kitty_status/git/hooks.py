"""Which of git's hooks are ours, what each runs, and what tells them all to do nothing.

Every process that git starts as a hook loads this, so it loads nothing itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_CHECK = "kitty_status.git.pre_commit"
_AFTER = "kitty_status.tracker.after_git"

# git's name for each hook, and the module whose `main` does what it is for.
HOOKS = {
    "pre-commit": _CHECK,
    "pre-merge-commit": _CHECK,
    "pre-push": "kitty_status.git.pre_push",
    "post-commit": _AFTER,
    "post-merge": _AFTER,
    "post-checkout": _AFTER,
    "post-rewrite": _AFTER,
}

# Set by people: 0, false, off or no makes hooks and merge drivers do nothing.
SWITCH = "KITTY_STATUS"
# Set for every git that we start (`run.run_git`): a hook that comes after git's work leaves that work to us.
INSIDE = "KITTY_STATUS_INSIDE"
_OFF = ("0", "false", "off", "no")


def is_switched_off(environment: Mapping[str, str]) -> bool:
    """Whether the user has switched hooks and merge drivers off for now."""
    return environment.get(SWITCH, "").lower() in _OFF


def leading_arguments(name: str) -> list[str]:
    """Return what the module's `main` is given before git's own arguments: its hook, where it serves several."""
    return [name] if list(HOOKS.values()).count(HOOKS[name]) > 1 else []


def comes_after(name: str) -> bool:
    """Whether git calls this hook when its work is done, so that nothing can be stopped any more."""
    return name.startswith("post-")
