"""The page, ids, codes, and values of its own."""

import os
import threading

from attempts import AFTERWARDS, Refused, Won, attempt, cli, refused_exit, refused_with
from wire import Page, network, vault

OTHER = {}


def entry(path, **more):
    status, body = vault("POST", "/v1/entries", {"path": path, **more}, more.pop("token", None))
    assert status in (200, 201), (status, body)
    AFTERWARDS.append(lambda agent: withdraw(agent, body))
    return body


def withdraw(agent, body):
    """Ends an entry of ours; where that takes the owner, he does."""
    if body.get("submit"):
        vault("POST", f"/v1/entries/{body['id']}:refuse", {"submit": body["submit"]})
    else:
        agent.owner("command", line=f"hq-vault deny {body['code']}")


def of_another(agent):
    """An entry of somebody else: of a caller with a token that the agent does not have."""
    if not OTHER:
        line = "hq-vault token create --name other --ttl 1h --path other/ --can ingest 2>/dev/null"
        said = agent.owner("command", line=line)
        token = next(word for word in said["text"].split() if word.startswith("hqv_"))
        status, body = vault("POST", "/v1/entries", {"path": "other/key"}, token)
        assert status in (200, 201), (status, body)
        OTHER.update(body, token=token)
    return OTHER


def mine(value="a value of the agent's own", **more):
    return {"value": value, **more}


@attempt("post its own value over an existing path")
def existing(_):
    return refused_with(vault("POST", "/v1/entries", {"path": "prod/key"}), 409)


@attempt("post its own value over an existing path, with overwrite")
def overwrite(_):
    body = entry("prod/key", overwrite=True)
    if body.get("submit") or body.get("url"):
        return True
    return refused_with(vault("POST", f"/v1/entries/{body['id']}:answer", mine()), 401, 403)


@attempt("post its own value over a path that was filled meanwhile")
def meanwhile(agent):
    body = entry("race/filled")
    agent.owner("command", line="printf first | hq-vault store race/filled")
    return refused_with(vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=body["submit"])), 409)


@attempt("post twice at once")
def twice(_):
    body, results = entry("race/twice"), []

    def post(n):
        results.append(vault("POST", f"/v1/entries/{body['id']}:answer", mine(f"value {n}", submit=body["submit"]))[0])

    threads = [threading.Thread(target=post, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sum(status in (200, 201) for status in results) == 1:
        raise Refused("exactly one of eight was stored")
    return True


@attempt("post again with a secret that was used")
def again(_):
    body = entry("race/again")
    assert vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=body["submit"]))[0] in (200, 201)
    return refused_with(vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=body["submit"])), 401, 403, 404, 409)


@attempt("say of its own value that the owner answered")
def false_route(agent):
    body = entry("race/route")
    answer = vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=body["submit"], route="answer"))
    if answer[0] in (200, 201):
        shown = agent.owner("command", line="hq-vault show race/route")["text"]
        if "answer" not in shown:
            raise Refused("show names the true route")
    return refused_with(answer, 400, 403)


@attempt("guess submit secrets")
def guess_submit(_):
    body = entry("guess/submit")
    for _ in range(50):
        guess = os.urandom(32).hex()[:43]
        answer = vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=guess))
        if answer[0] in (200, 201):
            return True
    return refused_with(answer, 401, 403, 404, 429)


@attempt("use the submit secret of one entry for another")
def wrong_entry(agent):
    body, other = entry("guess/mine"), of_another(agent)
    return refused_with(vault("POST", f"/v1/entries/{other['id']}:answer", mine(submit=body["submit"])), 401, 403, 404)


@attempt("answer without being the owner, by the entry's code")
def by_code(_):
    body = entry("guess/code")
    return refused_with(vault("POST", f"/v1/entries/{body['code']}:answer", mine()), 400, 401, 403)


@attempt("answer from the command line")
def answer_cli(_):
    body = entry("guess/code")
    done = cli("answer", body["code"], input=b"a value of the agent's own\n", stdin=None)
    refused_exit(done, 2, 4, 8)
    return True


@attempt("guess codes of entries")
def guess_codes(_):
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for _ in range(200):
        code = "".join(letters[byte % 32] for byte in os.urandom(8))
        answer = vault("POST", f"/v1/entries/{code}:about", {})
        if answer[0] == 200:
            return True
    return refused_with(answer, 400, 401, 403, 404, 429)


@attempt("guess ids of entries")
def guess_ids(agent):
    start = of_another(agent)["id"]
    for n in range(200):
        guess = start[:-2] + "%02d" % (n % 100)
        if guess != start and vault("GET", f"/v1/entries/{guess}")[0] == 200:
            return True
    raise Refused("200 guesses, none answered")


@attempt("poll another caller's entry")
def poll(agent):
    return refused_with(vault("GET", f"/v1/entries/{of_another(agent)['id']}?wait=0"), 401, 403, 404)


@attempt("read what another caller's entry is about")
def about(agent):
    return refused_with(vault("POST", f"/v1/entries/{of_another(agent)['id']}:about", {}), 401, 403, 404)


@attempt("refuse another caller's entry")
def refuse(agent):
    return refused_with(vault("POST", f"/v1/entries/{of_another(agent)['id']}:refuse", {}), 401, 403, 404)


@attempt("list the entries that wait")
def listing(_):
    return refused_with(vault("GET", "/v1/entries"), 401, 403)


@attempt("make an entry over the network without a token")
def over_network(_):
    return refused_with(network("POST", "/v1/entries", {"path": "net/key"}), 401)


@attempt("learn the value from the entry after it was stored")
def learn(agent):
    body = entry("typed/learnt")
    agent.owner("begin", line=f"hq-vault answer {body['code']}", until="Value (hidden")
    agent.owner("finish", text="VALUE")
    got = [vault("GET", f"/v1/entries/{body['id']}?wait=0")]
    got.append(vault("POST", f"/v1/entries/{body['id']}:about", {"submit": body["submit"]}))
    got.append(vault("POST", "/v1/entries", {"path": "typed/learnt"}))
    return repr(got).encode()


def page_attempt(words, method="POST", what="/about", allowed=(403,), host=None, body=None, wrong_id=False, **headers):
    """A request that is right but for one thing."""

    def run(_):
        page = Page(entry(f"page/{words}".replace("/", "-"), description="of the page")["url"])
        right = {"x-hqv-submit": page.submit}
        assert page.ask("POST", "/about", None, right)[0] == 200
        right.update({name.replace("_", "-"): value for name, value in headers.items()})
        if wrong_id:
            page.id = "ent_" + "0" * 26
        return refused_with(page.ask(method, what, body, right, host), *allowed)

    attempt(words)(run)


SEALED = b'{"enc": "AA", "ciphertext": "AA"}'
page_attempt("post to the page under another Host", host="evil.example")
page_attempt("post to the page under a name that leads here (rebinding)", host="127.0.0.1.evil.example:80")
page_attempt("post to the page with another site's Origin", Origin="https://evil.example")
page_attempt("post to the page with Origin null", Origin="null")
page_attempt("post to the page with the Origin of another port", Origin="http://127.0.0.1:1")
page_attempt("post to the page as a fetch from another site", Sec_Fetch_Site="cross-site")
STORE = {"what": "/store", "body": SEALED}
page_attempt("post to the page as a form does (text/plain)", allowed=(415,), Content_Type="text/plain", **STORE)
page_attempt("post to the page what was sealed to no key", allowed=(400,), Content_Type="application/json", **STORE)
page_attempt("post to the page with a made-up secret", allowed=(404,), x_hqv_submit="A" * 43)
page_attempt("post to the page of another entry by this one's port", allowed=(404,), wrong_id=True)
page_attempt("ask the page for leave of another site (preflight)", "OPTIONS", Origin="https://evil.example")


@attempt("answer before the person does, by the page's own secret, at a path that exists")
def race_existing(agent):
    """A new path, which somebody fills while the agent holds the page's secret."""
    body = entry("race/page")
    page = Page(body["url"])
    agent.owner("command", line="printf first | hq-vault store race/page")
    answer = vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=page.submit))
    return refused_with(answer, 409)


@attempt("answer before the person does, at a new path, and pass it off as the owner's own")
def race_new(agent):
    """It may create; that is what an entry is for. By which route and for whom a value came stands with it."""
    body = entry("race/new")
    assert vault("POST", f"/v1/entries/{body['id']}:answer", mine(submit=body["submit"]))[0] in (200, 201)
    shown = agent.owner("command", line="hq-vault show race/new")["text"]
    if "ingest-tty" in shown and "owner" not in shown.partition("ingest-tty")[2].partition("\n")[0]:
        raise Refused("show names the route, and not the owner")
    raise Won(shown[-200:])


@attempt("read the entry's path and purpose from the page without its secret")
def page_without_secret(_):
    body = entry("page/plain", description="of the page")
    status, text = Page(body["url"]).ask("GET")
    assert status == 200, (status, text)
    if "page/plain" in str(text) or "of the page" in str(text):
        return True
    raise Refused("the page itself says nothing of the entry")
