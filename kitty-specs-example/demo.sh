#!/bin/sh
# The main job, end to end, in a temporary folder that is removed at the end. No network is used.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT INT TERM

# Nothing of this machine's git configuration takes part, and nothing outside the folder is written.
export HOME="$place/home" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Demo GIT_AUTHOR_EMAIL=demo@example.invalid
export GIT_COMMITTER_NAME=Demo GIT_COMMITTER_EMAIL=demo@example.invalid
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE KITTY_STATUS_ACTOR 2>/dev/null || true
mkdir "$HOME"

say() { printf '\n# %s\n' "$*"; }

# Show a command, run it, and stop the demo if it does not end as it should.
run() { shown "$@"; "$@" 2>&1 || { echo "demo: this should have succeeded"; exit 1; }; }
refused() { shown "$@"; if "$@" 2>&1; then echo "demo: this should have been refused"; exit 1; else echo "(exit code $?)"; fi; }
shown() {
    printf '\n$'
    for word in "$@"; do
        case $word in *[!A-Za-z0-9@%+=:,./_-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
}

say 'A repository with one feature of three work packages.'
mkdir "$place/shop"
cd "$place/shop"
run git init --quiet --initial-branch=main
mkdir kitty-specs
cp -R "$example/001-login-form" kitty-specs/
run kitty-status init
kitty-status install --autostash >/dev/null 2>&1
shown kitty-status install --autostash
run kitty-status install --status
git add . && git commit --quiet --message 'A login form'
run kitty-status show 001-login-form

say 'Two people work at the same time, each on a branch in a work tree of its own.'
run git worktree add --quiet -b ada ../ada
run git worktree add --quiet -b claude ../claude
cd ../ada
refused kitty-status emit WP01 --to for_review --actor ada --feature 001-login-form
run sed -i.bak 's/\[ \]/[x]/' kitty-specs/001-login-form/tasks/WP01-form.md
rm kitty-specs/001-login-form/tasks/WP01-form.md.bak
run git commit --quiet --all --message 'The form is written and tested'
run kitty-status emit WP01 --to for_review --actor ada --feature 001-login-form --commit
cd ../claude
run kitty-status emit WP02 --to in_progress --actor claude --feature 001-login-form --commit

say 'Both branches changed the log, the snapshot and the status in tasks.md. git merges them without a conflict.'
cd ../shop
run git merge --quiet --no-edit ada
run git merge --no-edit claude
run kitty-status show 001-login-form
run cat kitty-specs/001-login-form/tasks.md
run kitty-status materialize 001-login-form --check
run kitty-status validate 001-login-form

say 'A move against the rules is refused, and nothing is written.'
refused kitty-status emit WP02 --to done --actor claude --feature 001-login-form

say 'A corrupt line is stopped by the commit hook.'
printf '{"event_id": "01JUNK", "wp_id": "WP0\n' >>kitty-specs/001-login-form/status.events.jsonl
shown git commit --all --message 'Add a status by hand'
if git commit --all --message 'Add a status by hand' 2>&1; then echo 'demo: the hook should have stopped this'; exit 1; fi

say 'That was the main job: every event kept, every merge right, every corruption stopped.'
