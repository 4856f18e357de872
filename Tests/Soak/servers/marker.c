// Gatehouse. SPDX-License-Identifier: MIT
//
// An MCP server over stdio for many at once: it starts in a millisecond and needs little memory.
//
//     marker [--era legacy|modern|dual]
//
// Each process has a marker, a random number of its own. Every answer carries the call's nonce, the marker, the process
// id and the call's place among all that it has had, so that a client sees who answered, and whom else. It has one tool, `work`, and the
// argument `do` says what: echo, sleep, steps, ask, flood, noise, mute, die, eat (memory), multiply (processes).
//
// It reads only what the gateway writes, whose form is known: it looks for names and knows no JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 1024, TEXT = 160, PIECE = 16384 };

#define MODERN "2026-07-28"
#define KEY_OF_VERSION "io.modelcontextprotocol/protocolVersion"
#define INFO "{\"name\":\"marker\",\"version\":\"1\"}"
#define MODERN_MEMBERS "\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" INFO "},"
#define CACHE "\"ttlMs\":1000,\"cacheScope\":\"private\","
#define SCHEMA "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}"

/// A call that is not answered yet.
struct job {
    int is_used, is_modern, steps;
    /// Its place among the calls that this process has had.
    long place;
    char id[TEXT], nonce[TEXT], token[TEXT], ask[TEXT];
    long every;
    long long due;
};

static struct job jobs[JOBS];
static unsigned long long marker;
static long count, asks;
static const char *era = "dual";

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void put(const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(1, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) exit(0);
        text += written;
        length -= (size_t)written;
    }
}

/// Writes a message, which must be short.
static void say(const char *format, ...) {
    char text[4096];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text - 1, format, values);
    va_end(values);
    text[length++] = '\n';
    put(text, (size_t)length);
}

/// Copies the value after a name as it is written: a string with its quotes, or a number. False if there is none.
static int value(const char *line, const char *name, char *output) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *start = strstr(line, key);
    output[0] = 0;
    if (!start) return 0;
    start += strlen(key);
    size_t length = *start == '"' ? strcspn(start + 1, "\"") + 2 : strcspn(start, ",}]");
    if (length >= TEXT) return 0;
    memcpy(output, start, length);
    output[length] = 0;
    return 1;
}

/// The same without quotes.
static int word(const char *line, const char *name, char *output) {
    if (!value(line, name, output)) return 0;
    size_t length = strlen(output);
    if (output[0] == '"') {
        memmove(output, output + 1, length);
        output[length - 2] = 0;
    }
    return 1;
}

static long number(const char *line, const char *name, long otherwise) {
    char text[TEXT];
    return value(line, name, text) ? atol(text) : otherwise;
}

static void answer(struct job *job, const char *more) {
    say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s\"content\":[{\"type\":\"text\",\"text\":\"%s %016llx %d %ld%s%s\"}]}}",
        job->id, job->is_modern ? MODERN_MEMBERS : "", job->nonce, marker, (int)getpid(), job->place, *more ? " " : "", more);
    job->is_used = 0;
}

static void progress(struct job *job, long step, const char *text, size_t length) {
    if (!job->token[0]) return;
    static char line[PIECE + 512];
    int start = snprintf(
        line, 512,
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s,\"progress\":%ld,"
        "\"message\":\"%s ",
        job->token, step, job->nonce);
    memcpy(line + start, text, length);
    memcpy(line + start + length, "\"}}\n", 4);
    put(line, (size_t)start + length + 4);
}

/// Writes so many bytes as fast as they are taken.
static void flood(struct job *job, long bytes) {
    static char filling[PIECE];
    memset(filling, 'x', sizeof filling);
    for (long step = 1; bytes > 0; step++, bytes -= PIECE) progress(job, step, filling, sizeof filling);
    answer(job, "");
}

/// Takes memory and uses it, or is ended.
static void eat(struct job *job, long bytes) {
    char text[TEXT];
    char *memory = malloc((size_t)bytes);
    for (long place = 0; memory && place < bytes; place += 4096) memory[place] = 1;
    snprintf(text, TEXT, "%s", memory && memory[bytes / 2 / 4096 * 4096] ? "eaten" : "refused");
    free(memory);
    answer(job, text);
}

/// Starts processes that do nothing until there are so many, or it is refused.
static void multiply(struct job *job, long wanted) {
    char text[TEXT];
    long made = 0;
    for (; made < wanted; made++) {
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child < 0) break;
    }
    snprintf(text, TEXT, "%ld", made);
    answer(job, text);
}

static void ask(struct job *job, const char *line) {
    if (!job->is_modern) {
        snprintf(job->ask, TEXT, "\"ask-%ld-%d\"", ++asks, (int)getpid());
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":\"%s\","
            "\"requestedSchema\":" SCHEMA "}}",
            job->ask, job->nonce);
        return;
    }
    const char *responses = strstr(line, "\"inputResponses\":");
    char name[TEXT];
    if (responses) return answer(job, word(strstr(responses, "\"content\":") ?: "", "name", name) ? name : "none");
    say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"name\":{\"method\":"
        "\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":\"%s\",\"requestedSchema\":" SCHEMA "}}},"
        "\"requestState\":\"%s\"}}",
        job->id, job->nonce, job->nonce);
    job->is_used = 0;
}

static void call(const char *line, const char *id, int is_modern) {
    struct job *job = NULL;
    for (int index = 0; index < JOBS && !job; index++)
        if (!jobs[index].is_used) job = &jobs[index];
    if (!job) {
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32000,\"message\":\"busy\"}}", id);
        return;
    }
    *job = (struct job){.is_used = 1, .is_modern = is_modern, .place = ++count};
    char what[TEXT];
    snprintf(job->id, TEXT, "%s", id);
    word(line, "nonce", job->nonce);
    word(line, "do", what);
    value(line, "progressToken", job->token);
    job->every = number(line, "ms", 10);
    job->due = now() + job->every;
    if (!strcmp(what, "echo")) {
        answer(job, "");
    } else if (!strcmp(what, "steps")) {
        job->steps = (int)number(line, "steps", 3);
    } else if (!strcmp(what, "ask")) {
        job->due = 0;
        ask(job, line);
    } else if (!strcmp(what, "flood")) {
        flood(job, number(line, "bytes", 0));
    } else if (!strcmp(what, "noise")) {
        say("this is no message");
        say("{\"jsonrpc\":\"2.0\",\"id\":987654321,\"result\":{}}");
        say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":12345,\"progress\":1}}");
        answer(job, "");
    } else if (!strcmp(what, "eat")) {
        eat(job, number(line, "bytes", 0));
    } else if (!strcmp(what, "multiply")) {
        multiply(job, number(line, "count", 0));
    } else if (!strcmp(what, "mute")) {
        job->due = 0;
    } else if (!strcmp(what, "die")) {
        _exit(3);
    }
}

static void asked(const char *line, const char *id) {
    for (int index = 0; index < JOBS; index++) {
        char name[TEXT];
        if (!jobs[index].is_used || strcmp(jobs[index].ask, id)) continue;
        const char *content = strstr(line, "\"content\":");
        return answer(&jobs[index], content && word(content, "name", name) ? name : "none");
    }
}

static void cancel(const char *line) {
    char id[TEXT];
    if (!value(line, "requestId", id)) return;
    for (int index = 0; index < JOBS; index++)
        if (jobs[index].is_used && !strcmp(jobs[index].id, id)) jobs[index].is_used = 0;
}

static void take(const char *line) {
    char id[TEXT], method[TEXT], version[TEXT];
    int has_id = value(line, "id", id), is_modern = strstr(line, KEY_OF_VERSION) != NULL;
    if (!word(line, "method", method)) {
        if (has_id) asked(line, id);
    } else if (!has_id) {
        if (!strcmp(method, "notifications/cancelled")) cancel(line);
    } else if (is_modern ? !strcmp(era, "legacy") : !strcmp(era, "modern")) {
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}", id);
    } else if (!strcmp(method, "initialize")) {
        word(line, "protocolVersion", version);
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{},\"logging\":{}},"
            "\"serverInfo\":" INFO "}}",
            id, version);
    } else if (!strcmp(method, "server/discover")) {
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{" MODERN_MEMBERS CACHE "\"supportedVersions\":[\"" MODERN "\"],"
            "\"capabilities\":{\"tools\":{}}}}",
            id);
    } else if (!strcmp(method, "tools/list")) {
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s%s\"tools\":[{\"name\":\"work\",\"inputSchema\":{\"type\":\"object\"}}]}}", id,
            is_modern ? MODERN_MEMBERS : "", is_modern ? CACHE : "");
    } else if (!strcmp(method, "tools/call")) {
        call(line, id, is_modern);
    } else {
        say("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s}}", id, is_modern ? "\"resultType\":\"complete\"" : "");
    }
}

/// Does what is due, and returns the milliseconds until the next thing is; -1 if nothing is.
static int work(void) {
    long long next = -1, time = now();
    for (int index = 0; index < JOBS; index++) {
        struct job *job = &jobs[index];
        if (!job->is_used || !job->due) continue;
        if (job->due <= time) {
            if (job->steps-- <= 0) {
                answer(job, "");
                continue;
            }
            progress(job, job->steps < 0 ? 0 : 1000 - job->steps, "", 0);
            job->due = time + job->every;
        }
        if (next < 0 || job->due < next) next = job->due;
    }
    return next < 0 ? -1 : next <= time ? 0 : (int)(next - time);
}

int main(int arguments, char **words) {
    for (int index = 1; index + 1 < arguments; index++)
        if (!strcmp(words[index], "--era")) era = words[index + 1];
    if (getrandom(&marker, sizeof marker, 0) != sizeof marker) return 1;
    size_t capacity = 65536, length = 0;
    char *buffer = malloc(capacity);
    if (!buffer) return 1;
    for (;;) {
        struct pollfd input = {.fd = 0, .events = POLLIN};
        if (poll(&input, 1, work()) < 0 && errno != EINTR) return 1;
        if (!input.revents) continue;
        if (length + 1 >= capacity) {
            char *larger = realloc(buffer, capacity *= 2);
            if (!larger) return 1;
            buffer = larger;
        }
        ssize_t got = read(0, buffer + length, capacity - length - 1);
        if (got <= 0) return 0;
        length += (size_t)got;
        size_t start = 0;
        for (char *end; (end = memchr(buffer + start, '\n', length - start)); start = (size_t)(end - buffer) + 1) {
            *end = 0;
            take(buffer + start);
        }
        memmove(buffer, buffer + start, length -= start);
    }
}
