"""Which work packages a text of git names: the name of a branch, the message of a commit.

Names count as whole words, so that WP1 is not WP10 and `034-login` is not `034-login-form`. Nothing is
looked up here: the same text and the same names give the same answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

REVIEWED_BY = "reviewed-by"
_NEVER = r"(?!)"
_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(\S.*)")
# Hosts that squash put the messages of all commits into one, so that this line may stand anywhere, also indented.
_WORK_PACKAGE = re.compile(r"^[ \t]*Work-Package[ \t]*:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_LOOKS_LIKE_AN_ID = re.compile(r"(?<![A-Za-z0-9_])WP[0-9]+[A-Za-z]?(?![A-Za-z0-9_])", re.IGNORECASE)
_MERGED = re.compile(
    r"Merge (?:(?:remote-tracking )?branch '(?P<branch>[^']+)'|pull request \S+ from [^/\s]+/(?P<pull>\S+))"
)
_UNDERSCORE = re.compile(r"_(?![0-9])")
_OID = r"([0-9a-f]{40}(?:[0-9a-f]{24})?)"
_REVERTED = re.compile(rf"This reverts commit {_OID}")
_CARRIED = re.compile(rf"^(?:commit |\(cherry picked from commit ){_OID}\)?[ \t]*$", re.MULTILINE)
_PERSON = re.compile(r"\s*(?P<name>[^<]*?)\s*(?:<(?P<email>[^>]*)>.*)?$")
# What may follow a slug in the name of a branch: a lane, or the beginning of the id that spec-kitty 3 gives a mission.
_AFTER_SLUG = r"lane-|01[0-9a-hjkmnp-tv-z]{6}(?![0-9a-z])"


class BranchLink(NamedTuple):
    """What a branch is for, by its name: a feature, and the work packages that the name holds (none: all of it)."""

    slug: str
    wp_ids: tuple[str, ...]


class Mention(NamedTuple):
    """The (slug, id) that a message names, whether trailers say so, and what in it could not be understood."""

    links: frozenset[tuple[str, str]]
    by_trailer: bool
    unclear: tuple[str, ...]


class Person(NamedTuple):
    """A name with an address, as trailers hold it; either may be empty."""

    name: str
    email: str


class Vocabulary:
    """The slugs of a project's features and the ids of their work packages, to be found in texts.

    `former` maps names that features had before to the slugs that they have now.
    """

    def __init__(self, features: Mapping[str, Collection[str]], former: Mapping[str, str] | None = None) -> None:
        self._ids = {slug: {wp_id.lower(): wp_id for wp_id in ids} for slug, ids in features.items()}
        self._patterns = {slug: _words(ids.values()) for slug, ids in self._ids.items()}
        names = {name: slug for name, slug in (former or {}).items() if name not in features and slug in features}
        self._slugs = {name.lower(): slug for name, slug in (names | {slug: slug for slug in features}).items()}
        every_id = {wp_id for ids in features.values() for wp_id in ids}
        any_id = _alternatives(every_id)
        self._slug = re.compile(
            rf"(?<![A-Za-z0-9_.-])(?:mission-)?(?P<slug>{_alternatives(self._slugs)})"
            rf"(?=$|[^A-Za-z0-9_.-]|[.-](?:$|[^A-Za-z0-9])|[-_](?:wp[0-9]|{any_id}|{_AFTER_SLUG}))",
            re.IGNORECASE,
        )
        self._pair = re.compile(
            rf"{self._slug.pattern}[\s/:#(.-]{{1,3}}(?P<id>{any_id})(?![A-Za-z0-9_]|\.[0-9])", re.IGNORECASE
        )

    def of_branch(self, name: str) -> BranchLink | None:
        """Return what a branch is for, None where its name holds no slug or those of two features."""
        found = {self._slugs[match["slug"].lower()]: match for match in self._slug.finditer(name)}
        if len(found) != 1:
            return None
        ((slug, match),) = found.items()
        # Ids that stand inside the slug are part of its name.
        rest = f"{name[: match.start()]} {name[match.end() :]}"
        # Names of branches hold no blanks, and some people write an underscore instead.
        parted = _UNDERSCORE.sub("-", rest)
        return BranchLink(slug, tuple(sorted(self._ids_in(slug, rest) | self._ids_in(slug, parted))))

    def of_message(self, message: str, branch_slug: str | None = None) -> Mention:
        """Return which work packages a commit is for, as its message says it.

        `Work-Package` trailers decide where there are any, else the subject, else the body. An id
        counts beside the slug of its feature, or on a branch of the feature, `branch_slug`.
        """
        values = _WORK_PACKAGE.findall(message)
        if values:
            return self._of_trailers(values, message, branch_slug)
        slugs = self._slugs_in(message)
        subject, _, body = message.partition("\n")
        for part in (subject, body):
            links = self._in_part(part, slugs, branch_slug)
            if links:
                return Mention(frozenset(links), by_trailer=False, unclear=())
        return Mention(frozenset(), by_trailer=False, unclear=())

    def _in_part(self, part: str, slugs: set[str], branch_slug: str | None) -> set[tuple[str, str]]:
        if len(slugs) > 1:
            pairs = ((self._slugs[match["slug"].lower()], match["id"].lower()) for match in self._pair.finditer(part))
            return {(slug, self._ids[slug][wp_id]) for slug, wp_id in pairs if wp_id in self._ids[slug]}
        slug = next(iter(slugs), branch_slug)
        return {(slug, wp_id) for wp_id in self._ids_in(slug, part)} if slug in self._ids else set()

    def _of_trailers(self, values: list[str], message: str, branch_slug: str | None) -> Mention:
        links: set[tuple[str, str]] = set()
        unclear: list[str] = []
        around = self._slugs_in(message)
        for value in values:
            own = self._slugs_in(value) or around
            slug = next(iter(own)) if len(own) == 1 else branch_slug if not own else None
            wanted = [slug] if slug else self._only_holder(value)
            found = {(each, wp_id) for each in wanted if each in self._ids for wp_id in self._ids_in(each, value)}
            links |= found
            known = {wp_id.lower() for _, wp_id in found}
            # The slug may hold what looks like an id.
            rest = self._slug.sub(" ", value)
            unclear += [word for word in _LOOKS_LIKE_AN_ID.findall(rest) if word.lower() not in known]
        return Mention(frozenset(links), by_trailer=True, unclear=tuple(dict.fromkeys(unclear)))

    def _only_holder(self, text: str) -> list[str]:
        """Return the feature that a trailer without a slug means: the only one that has such a work package."""
        holders = [slug for slug in self._ids if self._ids_in(slug, text)]
        return holders if len(holders) == 1 else []

    def _slugs_in(self, text: str) -> set[str]:
        return {self._slugs[match["slug"].lower()] for match in self._slug.finditer(text)}

    def _ids_in(self, slug: str, text: str) -> set[str]:
        return {self._ids[slug][word.lower()] for word in self._patterns[slug].findall(text)}


def trailers(message: str) -> list[tuple[str, str]]:
    """Return the trailers of a message: the (lower-case key, value) lines of its last paragraph, if it holds no other.

    A subject is no trailer.
    """
    paragraphs = re.split(r"\n[ \t]*\n", message.strip().replace("\r\n", "\n"))
    if len(paragraphs) == 1:
        return []
    lines = re.sub(r"\n[ \t]+", " ", paragraphs[-1]).split("\n")
    found = [_TRAILER.fullmatch(line.strip()) for line in lines]
    return [(match[1].lower(), match[2]) for match in found if match] if all(found) else []


def reviewers(message: str) -> list[Person]:
    """Return who a message's `Reviewed-by` trailers say has reviewed the change and approved of it."""
    values = [value for key, value in trailers(message) if key == REVIEWED_BY]
    people = [_PERSON.match(value) for value in values]
    found = [Person((match["name"] or "").strip(), (match["email"] or "").strip()) for match in people if match]
    return [person for person in found if person.name or person.email]


def merged_branch(message: str) -> str | None:
    """Return the name of the branch that a merge says it brings, None where its subject is not one that git writes."""
    match = _MERGED.match(message)
    return (match["branch"] or match["pull"]) if match else None


def reverted(message: str) -> list[str]:
    """Return the commits that a message says it reverts."""
    return _REVERTED.findall(message)


def carried(message: str) -> list[str]:
    """Return the commits that a message says it carries: squashed into this one, or picked by `cherry-pick -x`."""
    return _CARRIED.findall(message)


def _words(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{_alternatives(words)})(?![A-Za-z0-9_]|\.[0-9])", re.IGNORECASE)


def _alternatives(words: Iterable[str]) -> str:
    """Return a pattern that prefers longer words, so that one that begins like another is found whole."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) or _NEVER
