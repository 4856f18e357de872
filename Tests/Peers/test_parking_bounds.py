"""How many calls may be parked: what is over is refused, and nothing that was taken is lost."""

import threading

import pytest

from peers.gateway import plain
from peers.parking import ALL, Caller, accepted, answers_to, asked, fresh_tag


def legacy(**more):
    return plain("--era", "legacy", era="legacy", **more)


SERVERS = {"small": legacy(limits={"inFlight": 5}), "large": legacy(limits={"inFlight": 250})}


def test_more_calls_than_may_be_parked_get_an_error_and_none_is_lost(gateway, ledger):
    client = Caller(gateway, ledger, "small")
    parked, refused = {}, 0
    for _ in range(40):
        tag = fresh_tag()
        message = client.retry("form_one", tag, {}).json()
        if message.get("result", {}).get("resultType") == "input_required":
            parked[tag] = message["result"]
        else:
            refused += 1
            assert "error" in message or message["result"].get("_meta", {}).get("test/answers", [{}])[0].get("code")
    assert refused and parked, f"{len(parked)} parked, {refused} refused"
    for tag, result in parked.items():
        done = client.finish("form_one", tag, result, {asked(result)[tag]: accepted(tag)})
        assert done["_meta"]["test/answers"] == [accepted(tag)]
    tag = fresh_tag()
    result = client.park("form_one", tag)
    client.finish("form_one", tag, result, {asked(result)[tag]: accepted()})


def resident(pid):
    """The resident memory of a process in bytes."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.timeout(120)
def test_a_thousand_parked_calls_are_all_finished(gateway):
    """Four sets of capabilities make four children, so that the silences that are waited for pass at the same time."""
    sets = [ALL, {"elicitation": {}}, {"elicitation": {}, "roots": {}}, {"elicitation": {}, "sampling": {}}]
    before, done, parked = resident(gateway.pid), [], []

    def park(declared):
        client = Caller(gateway, None, "large", declared)
        own = [(client, tag, client.park("form_one", tag)) for tag in (fresh_tag() for _ in range(250))]
        parked.extend(own)

    def finish(own):
        for client, tag, result in own:
            answers = client.finish("form_one", tag, result, {asked(result)[tag]: accepted(tag)})["_meta"]
            done.append(answers["test/answers"] == [accepted(tag)])

    for work in (park, finish):
        jobs = sets if work is park else [parked[start::4] for start in range(4)]
        threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(parked) == 1000
    assert len(done) == 1000 and all(done)
    tags = [note["tag"] for note in gateway.journal("large", "run")]
    assert len(tags) == len(set(tags)) == 1000, "each ran once"
    assert resident(gateway.pid) - before < 64 << 20


class TestBounds:
    """With two calls that may wait, and so eight that may be parked."""

    @pytest.fixture(scope="class")
    def bounded(self, make_gateway):
        return make_gateway({"asks": legacy()}, {"limits": {"inFlight": 2}})

    def test_a_question_too_many_is_refused_and_no_other_is_lost(self, bounded, ledger):
        client = Caller(bounded, ledger)
        tags = [fresh_tag() for _ in range(8)]
        parked = {tag: client.park("form_one", tag) for tag in tags}
        for _ in range(3):
            tag = fresh_tag()
            message = client.retry("form_one", tag, {}).json()
            assert message.get("result", {}).get("resultType") != "input_required", message
            assert "error" in answers_to(bounded, "asks", tag)[0], "the server is told"
        for tag in tags:
            done = client.finish("form_one", tag, parked[tag], {asked(parked[tag])[tag]: accepted(tag)})
            assert done["_meta"]["test/answers"] == [accepted(tag)]
        again = fresh_tag()
        result = client.park("form_one", again)
        client.finish("form_one", again, result, {asked(result)[again]: accepted()})
