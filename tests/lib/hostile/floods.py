"""Filling the house. These come last: what they fill stays full for ten minutes."""

from attempts import Refused, attempt, refused_with
from page import of_another
from wire import vault


@attempt("flood the vault with entries")
def flood(_):
    answers = [vault("POST", "/v1/entries", {"path": f"flood/{n}"}) for n in range(100)]
    if sum(status in (200, 201) for status, _ in answers) > 16:
        return True
    return refused_with(answers[-1], 429)


@attempt("keep others out by that flood")
def flood_others(agent):
    token = of_another(agent)["token"]
    if vault("POST", "/v1/entries", {"path": "other/after"}, token)[0] in (200, 201):
        raise Refused("a caller with a token of its own is served")
    return True


@attempt("flood the vault with requests for tokens")
def flood_asks(_):
    bodies = [{"paths": [f"flood/{n}"], "can": ["read"], "reason": "flood"} for n in range(100)]
    answers = [vault("POST", "/v1/asks", body) for body in bodies]
    if sum(status in (200, 201) for status, _ in answers) > 16:
        return True
    return refused_with(answers[-1], 429)
