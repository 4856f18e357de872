// Gatehouse. SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// A bound on one look; what lies beyond is found by the next.
enum { LIMIT = 8192 };

struct pids {
    pid_t items[LIMIT];
    int count;
};

void close_on_exec(int descriptor) {
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/// Adds the children of one thread, from the kernel's list of decimal numbers.
static void add_children(const char *path, struct pids *pids) {
    char text[4096];
    ssize_t length;
    pid_t pid = 0;
    int list = open(path, O_RDONLY | O_CLOEXEC);
    if (list < 0) return;
    while ((length = read(list, text, sizeof text)) > 0) {
        for (ssize_t index = 0; index < length; index++) {
            if (text[index] >= '0' && text[index] <= '9') {
                pid = pid * 10 + (text[index] - '0');
            } else {
                if (pid > 0 && pids->count < LIMIT) pids->items[pids->count++] = pid;
                pid = 0;
            }
        }
    }
    close(list);
}

/// Adds the children of all threads of a process.
static void add_family(pid_t parent, struct pids *pids) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    DIR *threads = opendir(path);
    if (!threads) return;
    for (struct dirent *entry; (entry = readdir(threads));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)parent, entry->d_name);
        add_children(path, pids);
    }
    closedir(threads);
}

void signal_tree(int number) {
    static struct pids pids;
    pids.count = 0;
    add_family(getpid(), &pids);
    for (int next = 0; next < pids.count; next++) {
        // Its children first: once it is gone they cannot be found through it.
        add_family(pids.items[next], &pids);
        kill(pids.items[next], number);
    }
}

void signal_children(pid_t parent, int number) {
    static struct pids pids;
    pids.count = 0;
    add_family(parent, &pids);
    for (int next = 0; next < pids.count; next++) kill(pids.items[next], number);
}

void kill_tree(pid_t server, int *status) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    const struct timespec pause = {0, 5000000};
    for (int rounds = 0; rounds < 2000; rounds++) {
        int found;
        pid_t pid;
        signal_tree(SIGKILL);
        while ((pid = waitpid(-1, &found, WNOHANG)) > 0) {
            if (pid == server) *status = found;
        }
        if (pid < 0 && errno == ECHILD) return;
        sigtimedwait(&child, NULL, &pause);
    }
}
