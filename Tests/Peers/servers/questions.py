"""Tools of the plain server that ask the client, as a server of the legacy era does: with requests of its own.

Each notes in the journal that it runs, and every answer that it gets, under the tag that its caller gave.
"""

import os
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


def form_and_wait(server, message, arguments):
    """Asks one form; after the answer it waits to be cancelled."""
    tag = begin(message, arguments, "form_and_wait")
    server.ask("elicitation/create", form(tag), lambda answer: note("answer", tag=tag, index=0, answer=answer))


def insists(server, message, arguments):
    """Asks one form, and asks again as often as it is not filled in, three times at most."""
    tag = begin(message, arguments, "insists")
    asked = []

    def ask():
        asked.append(True)
        server.ask("elicitation/create", form(f"{tag} {len(asked)}"), take)

    def take(answer):
        note("answer", tag=tag, index=len(asked), answer=answer)
        if answer.get("result", {}).get("action") == "accept" or len(asked) == 3:
            server.say(message, f"done {tag}")
        else:
            ask()

    ask()


def log_while_asking(server, message, arguments):
    """Asks one form, and logs its tag once a file of that name exists."""
    tag = begin(message, arguments, "log_while_asking")
    put(server, message, tag, [("elicitation/create", form(tag))])

    def log():
        server.notify("notifications/message", {"level": "error", "data": tag})
        note("logged", tag=tag)

    when_exists(tag, log)


def ponder(server, message, arguments):
    """Thinks until a file exists, hears nothing meanwhile, and then asks one form."""
    tag = begin(message, arguments, "ponder")
    while not os.path.exists(tag):
        time.sleep(0.01)
    put(server, message, tag, [("elicitation/create", form(tag))])


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


def withdraws_late(server, message, arguments):
    """Asks one form; once a file exists it takes it back and asks another."""
    tag = begin(message, arguments, "withdraws_late")
    number = server.ask("elicitation/create", form(f"{tag} first"), lambda answer: note("unwanted", tag=tag))

    def change():
        server.notify("notifications/cancelled", {"requestId": number})
        put(server, message, tag, [("elicitation/create", form(f"{tag} second"))])
        note("changed", tag=tag)

    when_exists(tag, change)


def forms_many(server, message, arguments):
    """Asks forty forms at once."""
    tag = begin(message, arguments, "forms_many")
    put(server, message, tag, [("elicitation/create", form(f"{tag} {n}")) for n in range(40)])


def same_keys(server, message, arguments):
    """Asks two forms by the same key."""
    tag = begin(message, arguments, "same_keys")
    put(server, message, tag, [("elicitation/create", form(f"{tag} {n}", _meta={KEY: "name"})) for n in (1, 2)])


def bad_questions(server, message, arguments):
    """Asks what no client could understand."""
    tag = begin(message, arguments, "bad_questions")
    wrong = [
        ("elicitation/create", {"requestedSchema": {"type": "object", "properties": {}}}),
        ("elicitation/create", {"mode": "telepathy", "message": "?"}),
        ("elicitation/create", {"mode": "url", "message": "?"}),
        ("sampling/createMessage", {"messages": "?", "maxTokens": 1}),
        ("no/such", {}),
    ]
    put(server, message, tag, wrong)


def sample_with_tools(server, message, arguments):
    """Lets the client's model use tools."""
    tag = begin(message, arguments, "sample_with_tools")
    tools = [{"name": "t", "inputSchema": {"type": "object"}}]
    put(server, message, tag, [("sampling/createMessage", {**sampling(tag), "tools": tools})])


def sample_with_context(server, message, arguments):
    """Wants context for the client's model."""
    tag = begin(message, arguments, "sample_with_context")
    put(server, message, tag, [("sampling/createMessage", {**sampling(tag), "includeContext": "allServers"})])


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
        form_and_wait,
        ponder,
        impatient,
        insists,
        log_while_asking,
        withdraws,
        withdraws_late,
        forms_many,
        same_keys,
        bad_questions,
        sample_with_tools,
        sample_with_context,
        page_first,
    )
}
