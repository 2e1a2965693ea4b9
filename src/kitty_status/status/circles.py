"""Events that name each other as parents, directly or round about: such parents cannot be true."""

from __future__ import annotations


def circles(parents: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    """Return each event that stands on a circle, with all events of its circle.

    Tarjan's strongly connected components (SIAM J. Comput. 1, 1972), without recursion because a
    history can be far longer than the interpreter's stack.
    """
    waiting = {event_id: sum(parent in parents for parent in own) for event_id, own in parents.items()}
    children: dict[str, list[str]] = {}
    for event_id, own in parents.items():
        for parent in own:
            children.setdefault(parent, []).append(event_id)
    ready = [event_id for event_id, count in waiting.items() if not count]
    while ready:
        for child in children.get(ready.pop(), ()):
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    stuck = {event_id for event_id, count in waiting.items() if count}
    return _components({event_id: [p for p in parents[event_id] if p in stuck] for event_id in sorted(stuck)})


def _components(graph: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    trail: list[str] = []
    on_trail: set[str] = set()
    found: dict[str, frozenset[str]] = {}
    for root, targets in graph.items():
        work = [] if root in index else [(root, iter(targets))]
        while work:
            node, following = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                trail.append(node)
                on_trail.add(node)
            for target in following:
                if target not in index:
                    work.append((target, iter(graph[target])))
                    break
                if target in on_trail:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = _cut_from_trail(trail, on_trail, node)
                    if len(component) > 1:
                        found.update(dict.fromkeys(component, component))
    return found


def _cut_from_trail(trail: list[str], on_trail: set[str], first: str) -> frozenset[str]:
    component: list[str] = []
    while not component or component[-1] != first:
        component.append(trail.pop())
    on_trail.difference_update(component)
    return frozenset(component)
