// Gatehouse. SPDX-License-Identifier: MIT

// The time of a bare start: from before the pipes are made to the last byte of the server's first answer.
//
//   start_time ROUNDS COMMAND [ARGUMENT...]
//
// Each round starts the command with posix_spawn, writes an `initialize` request to it and waits for one line. Then the
// pipe is closed and the child reaped, which is not counted. Prints the median, the least and the most in milliseconds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char request[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\","
    "\"capabilities\":{},\"clientInfo\":{\"name\":\"start_time\",\"version\":\"1.0\"}}}\n";

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static int compare(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/// One start; negative if it failed.
static double start(char **command) {
    double began = now(), took = -1;
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC)) return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    pid_t child;
    int failure = posix_spawn(&child, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    if (!failure && write(input[1], request, sizeof request - 1) == (ssize_t)sizeof request - 1) {
        char answer[4096];
        ssize_t count;
        while ((count = read(output[0], answer, sizeof answer)) > 0) {
            if (answer[count - 1] != '\n') continue;
            took = now() - began;
            break;
        }
    }
    close(input[1]);
    close(output[0]);
    if (!failure) waitpid(child, NULL, 0);
    return took;
}

int main(int count, char **arguments) {
    int rounds = count > 2 ? atoi(arguments[1]) : 0;
    if (rounds < 1) {
        fprintf(stderr, "usage: start_time ROUNDS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    double *times = calloc((size_t)rounds, sizeof *times);
    if (!times) return 1;
    for (int round = 0; round < rounds; round++) {
        times[round] = start(arguments + 2);
        if (times[round] < 0) {
            fprintf(stderr, "start_time: %s did not answer\n", arguments[2]);
            return 1;
        }
    }
    qsort(times, (size_t)rounds, sizeof *times, compare);
    printf("%.4f %.4f %.4f\n", times[rounds / 2], times[0], times[rounds - 1]);
    free(times);
    return 0;
}
