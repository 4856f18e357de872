"""Tools of the plain server that ask the client, as a server of the legacy era does: with requests of its own.

Each notes in the journal that it runs, and every answer that it gets, under the tag that its caller gave.
"""

import threading
import time

from journal import note

KEY = "io.github.gatehouse/inputKey"


def form(message, **more):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    return {"mode": "form", "message": message, "requestedSchema": schema, **more}


def sampling(text):
    return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}], "maxTokens": 10}


def begin(message, arguments, tool):
    """Note the run; the tag of its caller."""
    tag = str(arguments.get("text", ""))
    note("run", tool=tool, tag=tag, id=message["id"])
    return tag


def put(server, message, tag, questions):
    """Ask all of (method, params) at once; the result tells the answers in the order of the questions."""
    answers = [None] * len(questions)
    left = [len(questions)]

    def taker(index):
        def take(answer):
            note("answer", tag=tag, index=index, answer=answer)
            answers[index] = answer.get("result", answer.get("error"))
            left[0] -= 1
            if left[0] == 0:
                server.say(message, f"done {tag}", _meta={"test/answers": answers})

        return take

    for index, (method, params) in enumerate(questions):
        server.ask(method, params, taker(index))


def form_one(server, message, arguments):
    """Asks one form, whose message is the tag."""
    tag = begin(message, arguments, "form_one")
    put(server, message, tag, [("elicitation/create", form(tag))])


def form_two(server, message, arguments):
    """Asks two forms at once."""
    tag = begin(message, arguments, "form_two")
    put(server, message, tag, [("elicitation/create", form(f"{tag} {n}")) for n in (1, 2)])


def mixed(server, message, arguments):
    """Asks for a form, a model's answer and the roots at once."""
    tag = begin(message, arguments, "mixed")
    asked = [("elicitation/create", form(tag)), ("sampling/createMessage", sampling(tag)), ("roots/list", {})]
    put(server, message, tag, asked)


def sample_one(server, message, arguments):
    """Asks the client's model."""
    tag = begin(message, arguments, "sample_one")
    put(server, message, tag, [("sampling/createMessage", sampling(tag))])


def keyed(server, message, arguments):
    """Asks two forms that have keys."""
    tag = begin(message, arguments, "keyed")
    asked = [("elicitation/create", form(f"{tag} {key}", _meta={KEY: key})) for key in ("first_name", "last_name")]
    put(server, message, tag, asked)


def series(server, message, arguments):
    """Asks three forms, each after the answer to the last."""
    tag = begin(message, arguments, "series")
    names = []

    def ask():
        server.ask("elicitation/create", form(f"{tag} {len(names) + 1}"), take)

    def take(answer):
        note("answer", tag=tag, index=len(names), answer=answer)
        names.append(answer["result"]["content"]["name"])
        if len(names) < 3:
            ask()
        else:
            server.say(message, f"done {tag}", _meta={"test/answers": names})

    ask()


def form_and_progress(server, message, arguments):
    """Asks one form; reports progress before the question and after the answer."""
    tag = begin(message, arguments, "form_and_progress")
    token = server.token(message)

    def take(answer):
        note("answer", tag=tag, index=0, answer=answer)
        for step in (2, 3):
            server.notify("notifications/progress", {"progressToken": token, "progress": step})
        server.say(message, f"done {tag}")

    server.notify("notifications/progress", {"progressToken": token, "progress": 1})
    server.ask("elicitation/create", form(tag), take)


def impatient(server, message, arguments):
    """Asks one form, and gives its result without waiting for the answer once a file exists."""
    tag = begin(message, arguments, "impatient")
    server.ask("elicitation/create", form(tag), lambda answer: note("answer", tag=tag, index=0, answer=answer))
    when_exists(tag, lambda: server.say(message, f"done {tag} alone"))


def withdraws(server, message, arguments):
    """Asks two forms, and takes the first back at once."""
    tag = begin(message, arguments, "withdraws")
    number = server.ask("elicitation/create", form(f"{tag} unwanted"), lambda answer: note("unwanted", tag=tag))
    server.notify("notifications/cancelled", {"requestId": number, "reason": "a mistake"})
    put(server, message, tag, [("elicitation/create", form(f"{tag} wanted"))])


def page_first(server, message, arguments):
    """Fails with -32042 the first time that it is called with a tag."""
    tag = begin(message, arguments, "page_first")
    if tag in server.visited:
        return server.say(message, f"done {tag}")
    server.visited.add(tag)
    pages = [
        {"mode": "url", "message": "Sign in", "url": f"https://example.com/{n}", "elicitationId": f"{tag}-{n}"}
        for n in (1, 2)
    ]
    server.error(message, -32042, "Visit the pages first", {"elicitations": pages})


def when_exists(path, then):
    """Do something as soon as a file exists."""
    import os

    def later():
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if os.path.exists(path):
                return then()
            time.sleep(0.01)

    threading.Thread(target=later, daemon=True).start()


QUESTIONS = {
    function.__name__: function
    for function in (
        form_one,
        form_two,
        mixed,
        sample_one,
        keyed,
        series,
        form_and_progress,
        impatient,
        withdraws,
        page_first,
    )
}
