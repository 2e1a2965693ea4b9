"""The journal: acknowledged events of this clone, kept out of git's reach until git itself holds them.

A lock cannot protect a log from git, which rewrites files of the work tree without asking anybody:
an event that was appended in the middle of a merge or a stash would be gone. So each event is first
appended to the journal in the git common directory, and only then to its log.

* an entry is *settled* once its line stands in a commit that a branch, a remote branch, a tag or a
  reflog knows; then git keeps it, and the entry is dropped
* an entry whose line has vanished from its log is *restored* where its branch is checked out
* every other entry *waits*, and is reported
"""
