"""`show` for a feature in phase 0: the lanes that the frontmatter of its work packages says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.cli.output import say, say_json, warn
from kitty_status.errors import EXIT_DAMAGED, EXIT_DONE
from kitty_status.status.visible import visible
from kitty_status.tracker.unlogged.standings import log_unread, standings_of

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature
    from kitty_status.tracker.phases import Phase
    from kitty_status.tracker.unlogged.standings import Standings


def show(feature: Feature, config: Config, phase: Phase, *, json_output: bool) -> int:
    """Show where the work packages stand whose files can be understood, name the others; return the exit code."""
    found = standings_of(feature, config)
    warnings = [*feature.remarks(), *phase.warnings, *(each.message for each in found.problems)]
    warnings += log_unread(feature)
    if json_output:
        data = {
            "feature": feature.slug,
            "path": feature.relative(feature.folder),
            "profile": found.snapshot.profile.name,
            "archived": feature.is_archived,
            "phase": phase.number,
            "phase_source": phase.source,
            "work_packages": _work_packages(feature, found),
            "summary": found.snapshot.summary,
        }
        say_json("show", data, warnings=warnings)
    else:
        _print(feature, found, phase)
        warn(warnings)
    return EXIT_DAMAGED if found.problems else EXIT_DONE


def _work_packages(feature: Feature, found: Standings) -> dict[str, dict[str, object]]:
    return {
        wp_id: {"lane": each.lane, "names": list(each.names), "path": feature.relative(each.file.path)}
        for wp_id, each in found.files.items()
    }


def _print(feature: Feature, found: Standings, phase: Phase) -> None:
    counted = ", ".join(f"{count} {lane}" for lane, count in found.snapshot.summary.items() if count)
    say(f"{feature.slug}: {counted or 'no work packages yet'}")
    say(f"  phase 0 ({visible(phase.source)}): as the frontmatter says; no log is read")
    names = max((len(name) for name in found.files), default=0)
    lanes = max((len(each.lane) for each in found.files.values()), default=0)
    for name, each in sorted(found.files.items()):
        say(f"  {name:<{names}}  {each.lane:<{lanes}}  {visible(', '.join(each.names))}".rstrip())
