"""`show --worktrees`: where work packages stand here, and what other work trees and branches have recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kitty_status.cli.output import counted, say, say_json, warn
from kitty_status.errors import EXIT_DAMAGED, EXIT_DONE, NotFoundError, StoreError
from kitty_status.status.reducer import reduce_events, unique_events
from kitty_status.status.visible import visible
from kitty_status.tracker.log import read_log
from kitty_status.tracker.phases import phase_of, remarks_on
from kitty_status.tracker.places.elsewhere import Outlook, features_elsewhere
from kitty_status.tracker.places.sight import Surroundings

if TYPE_CHECKING:
    from kitty_status.tracker.config import Config
    from kitty_status.tracker.features import Feature, Project
    from kitty_status.tracker.places.elsewhere import Elsewhere
    from kitty_status.tracker.places.look import View

_MOST_PLACES = 3
_NOWHERE = "-"


def show_worktrees(project: Project, config: Config, name: str | None, *, json_output: bool) -> int:
    """Show a feature, or one line for each, with what is not merged here; return the exit code.

    Features count that only another work tree or branch has.

    Raises:
        OutsideRepositoryError: outside git there are no other work trees.
        NotFoundError: there is no such feature, or none at all.
        StoreError: the log of the one feature is damaged here.
    """
    surroundings = Surroundings(project.repository_needed("leave out --worktrees: outside git there are none"))
    beyond = features_elsewhere(project, surroundings)
    feature = _named(project, name, beyond)
    if feature is None:
        return _show_all(project, config, surroundings, beyond, json_output=json_output)
    outlook = _outlook(feature, config, surroundings)
    remarks = remarks_on(phase_of(feature, config), feature)
    warnings = [*surroundings.warnings, *outlook.warnings, *remarks]
    if json_output:
        data = {"feature": feature.slug, "unmerged_events": outlook.unmerged, "work_packages": outlook.to_dict()}
        say_json("show-worktrees", data, warnings=warnings)
        return EXIT_DONE
    warn(warnings)
    say(f"{feature.slug}: {_unmerged(outlook.unmerged)}")
    _print(outlook)
    return EXIT_DONE


def _named(project: Project, name: str | None, beyond: list[Feature]) -> Feature | None:
    """Return the feature that is named or stood in; None where all are meant."""
    if name is None:
        return project.feature(None) if project.features_folder in project.start.parents else None
    try:
        return project.feature(name)
    except NotFoundError:
        matches = [feature for feature in beyond if feature.slug == name or feature.slug.startswith(name)]
        exact = [feature for feature in matches if feature.slug == name]
        if len(exact or matches) != 1:
            raise
        return (exact or matches)[0]


def _outlook(feature: Feature, config: Config, surroundings: Surroundings, total: int | None = None) -> Outlook:
    own = unique_events(read_log(feature.log, feature.log.strictly(), bytes_to_read=total))
    return Outlook(reduce_events(own, config.profile), surroundings.of(feature, own), config.profile)


def _show_all(
    project: Project, config: Config, surroundings: Surroundings, beyond: list[Feature], *, json_output: bool
) -> int:
    features = sorted([*project.features(), *beyond], key=lambda feature: feature.slug)
    if not features:
        raise NotFoundError(
            f"there are no features in {project.features_folder}", hint="a feature is a folder kitty-specs/NAME"
        )
    total = sum(feature.log.size() for feature in features)
    warnings = list(surroundings.warnings)
    rows: list[dict[str, Any]] = []
    has_damage = False
    for feature in features:
        try:
            outlook = _outlook(feature, config, surroundings, total)
        except StoreError as error:
            has_damage = True
            warnings.append(f"{feature.slug}: {error.message}")
            rows.append({"feature": feature.slug, "damaged": error.message})
            continue
        warnings += outlook.warnings
        rows.append(
            {
                "feature": feature.slug,
                "unmerged_events": outlook.unmerged,
                "elsewhere": sorted(outlook.elsewhere),
                "work_packages": outlook.to_dict(),
            }
        )
    if json_output:
        say_json("features-worktrees", rows, warnings=warnings)
    else:
        _print_all(rows)
        warn(warnings)
    return EXIT_DAMAGED if has_damage else EXIT_DONE


def _print_all(rows: list[dict[str, Any]]) -> None:
    width = max(len(row["feature"]) for row in rows)
    for row in rows:
        names = f" ({', '.join(row['elsewhere'])})" if row.get("elsewhere") else ""
        words = "damaged" if "damaged" in row else _unmerged(row["unmerged_events"]) + names
        say(f"{row['feature']:<{width}}  {words}")


def _unmerged(count: int) -> str:
    if not count:
        return "nothing elsewhere that is not here"
    return f"{counted(count, 'event')} elsewhere that {'is' if count == 1 else 'are'} not here"


def _print(outlook: Outlook) -> None:
    names = sorted(outlook.together.work_packages)
    width = max((len(name) for name in names), default=0)
    for name in names:
        here = outlook.here.work_packages.get(name)
        together = outlook.together.work_packages[name]
        say(f"  {name:<{width}}  {_state(here) if here else f'{_NOWHERE}  no event here'}")
        for each in outlook.elsewhere.get(name, ()):
            say(f"  {'':<{width}}    {_state(each.state)}: {_where(each)}")
        differs = together["lane"] != (here or {}).get("lane") or "conflict" in together
        if name in outlook.elsewhere and differs:
            competing = ", with moves that compete" if "conflict" in together else ""
            say(f"  {'':<{width}}    once all is merged: {together['lane']}{competing}")


def _state(state: dict[str, Any]) -> str:
    return f"{state['lane']}  {visible(state['actor'])}"


def _where(each: Elsewhere) -> str:
    shown = "; ".join(_place(place) for place in each.places[:_MOST_PLACES])
    more = f" and {len(each.places) - _MOST_PLACES} more places" if len(each.places) > _MOST_PLACES else ""
    return f"{shown}{more} ({each.unmerged} not here)"


def _place(place: View) -> str:
    return visible(place.name)
