// Gatehouse. SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "Spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/// Pipes for descriptors 0 to 3 of the child: [n][0] is the child's end.
typedef int pipes_t[4][2];

static void close_pipes(pipes_t pipes, int side) {
    for (int number = 0; number < 4; number++) {
        if (pipes[number][side] >= 0) close(pipes[number][side]);
        pipes[number][side] = -1;
    }
}

/// Moves a descriptor out of the way of 0 to 3, which `dup2` will fill in the child.
static int lift(int *descriptor) {
    if (*descriptor > 3) return 0;
    int lifted = fcntl(*descriptor, F_DUPFD_CLOEXEC, 4);
    if (lifted < 0) return errno;
    close(*descriptor);
    *descriptor = lifted;
    return 0;
}

static int open_pipes(pipes_t pipes, int count) {
    for (int number = 0; number < count; number++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) return errno;
        // The child reads from the first and writes to the others.
        pipes[number][0] = ends[number == 0 ? 0 : 1];
        pipes[number][1] = ends[number == 0 ? 1 : 0];
        int failure = lift(&pipes[number][0]);
        if (!failure) failure = lift(&pipes[number][1]);
        if (failure) return failure;
    }
    return 0;
}

static int set_actions(posix_spawn_file_actions_t *actions, pipes_t pipes, int count, const char *directory) {
    int failure = 0;
    for (int number = 0; number < count && !failure; number++)
        failure = posix_spawn_file_actions_adddup2(actions, pipes[number][0], number);
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(actions, count);
    if (!failure && directory) failure = posix_spawn_file_actions_addchdir_np(actions, directory);
    return failure;
}

static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int failure = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failure) failure = posix_spawnattr_setsigmask(attributes, &none);
    if (failure) return failure;
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(
    const char *path, char *const *arguments, char *const *environment, const char *directory, pipes_t pipes, int count,
    pid_t *pid
) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return failure;
    failure = posix_spawnattr_init(&attributes);
    if (!failure) {
        failure = set_actions(&actions, pipes, count, directory);
        if (!failure) failure = set_attributes(&attributes);
        if (!failure) failure = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

int gatehouse_spawn(
    const char *path, char *const *arguments, char *const *environment, const char *directory, int with_status,
    struct gatehouse_child *child
) {
    pipes_t pipes = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    int count = with_status ? 4 : 3, process = -1;
    pid_t pid = -1;
    int failure = open_pipes(pipes, count);
    if (!failure) failure = spawn(path, arguments, environment, directory, pipes, count, &pid);
    close_pipes(pipes, 0);
    if (!failure) {
        process = pidfd_open(pid, 0);
        if (process < 0) {
            failure = errno;
            kill(pid, SIGKILL);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        }
    }
    if (failure) {
        close_pipes(pipes, 1);
        return -failure;
    }
    *child = (struct gatehouse_child){pid, process, pipes[0][1], pipes[1][1], pipes[2][1], pipes[3][1]};
    return 0;
}

int gatehouse_signal(int process, int number) {
    return pidfd_send_signal(process, number, NULL, 0) < 0 ? -errno : 0;
}

int gatehouse_reap(int process, int *status) {
    siginfo_t found = {0};
    int result;
    do result = waitid(P_PIDFD, (id_t)process, &found, WEXITED | WNOHANG);
    while (result < 0 && errno == EINTR);
    if (result < 0) return errno == EAGAIN ? 0 : -errno;
    if (found.si_pid == 0) return 0;
    *status = found.si_code == CLD_EXITED ? (found.si_status & 0xFF) << 8 : found.si_status & 0x7F;
    return 1;
}
