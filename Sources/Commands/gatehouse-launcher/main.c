// Gatehouse. SPDX-License-Identifier: MIT

// gatehouse-launcher [--parent PID] [--chdir DIR] -- /absolute/path [ARGUMENT...]
//
// The process between the gateway and a server: it starts the server and sees to it that nothing of the server outlives
// it or the gateway. It reads nothing and writes nothing but records of eight bytes (see report.h) to descriptor 3.
//
// Signals: SIGTERM is passed on to the server and all its descendants. SIGUSR1, SIGINT, SIGHUP and SIGQUIT kill them
// all, and so does the death of the thread that started the launcher (which gets it SIGUSR1). When the server
// itself ends, whatever it left behind is killed. Then the launcher reports the server's wait status and ends with 0.
//
// The server gets a session and process group of its own, descriptors 0 to 2, no blocked or ignored signals, no way to
// gain privileges, and the launcher's environment as it is.
//
// Not covered: kill -9 of the launcher itself kills the server, but not what the server started.

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "tree.h"

enum { STATUS = 3, USAGE = 2 };

struct options {
    pid_t parent;
    const char *directory;
    char **command;
};

static void report(int32_t kind, int32_t value) {
    struct report record = {kind, value};
    ssize_t written;
    do written = write(STATUS, &record, sizeof record);
    while (written < 0 && errno == EINTR);
}

/// Options come in pairs, so that more can be added; false for anything that is not understood.
static int parse(int count, char **arguments, struct options *options) {
    int index = 1;
    while (index < count && strcmp(arguments[index], "--") != 0) {
        if (index + 1 >= count) return 0;
        const char *name = arguments[index], *value = arguments[index + 1];
        if (strcmp(name, "--parent") == 0) options->parent = (pid_t)atol(value);
        else if (strcmp(name, "--chdir") == 0) options->directory = value;
        else return 0;
        index += 2;
    }
    options->command = arguments + index + 1;
    return index + 1 < count && options->command[0][0] == '/';
}

/// What went wrong between vfork and exec; the child shares the launcher's memory until then.
static volatile struct report trouble;

static void fail(int32_t kind) {
    trouble.kind = kind;
    trouble.value = errno;
    _exit(127);
}

/// Lets no signal be ignored, not even those two that the C library keeps for itself and posix_spawn ignores.
static void reset_signals(void) {
    // The kernel's form of "default action": all zero. The library's own function refuses those two.
    const unsigned long none[4] = {0};
    for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, none, NULL, sizeof(long));
}

/// The child's part. Only system calls: it runs on the launcher's stack.
static void become_server(const struct options *options, pid_t launcher) {
    sigset_t none;
    sigemptyset(&none);
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(REPORT_SETUP_FAILED);
    if (getppid() != launcher) _exit(127);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(REPORT_SETUP_FAILED);
    if (close_range(STATUS + 1, ~0u, 0) < 0) fail(REPORT_SETUP_FAILED);
    if (options->directory && chdir(options->directory) < 0) fail(REPORT_CHDIR_FAILED);
    reset_signals();
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(options->command[0], options->command, environ);
    fail(REPORT_EXEC_FAILED);
}

/// Reaps what has ended, orphans too; true when the server is among them.
static int reap(pid_t server, int *status) {
    int ended = 0, found;
    pid_t pid;
    while ((pid = waitpid(-1, &found, WNOHANG)) > 0) {
        if (pid != server) continue;
        *status = found;
        ended = 1;
    }
    return ended;
}

/// Passes signals on until the server has ended, by itself or because it was killed.
static int supervise(pid_t server, const sigset_t *signals) {
    int status = 0;
    for (;;) {
        int number = sigwaitinfo(signals, NULL);
        switch (number) {
        case SIGCHLD:
            if (!reap(server, &status)) break;
            kill_tree(0, NULL);
            return status;
        case SIGTERM:
            signal_tree(SIGTERM);
            break;
        case SIGUSR1:
        case SIGINT:
        case SIGHUP:
        case SIGQUIT:
            kill_tree(server, &status);
            return status;
        default:
            break;
        }
    }
}

int main(int count, char **arguments) {
    struct options options = {0};
    if (!parse(count, arguments, &options)) {
        static const char usage[] = "usage: gatehouse-launcher [--parent PID] [--chdir DIR] -- /path [ARGUMENT...]\n";
        return write(2, usage, sizeof usage - 1) < 0 ? 1 : USAGE;
    }
    sigset_t signals;
    sigfillset(&signals);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGUSR1) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        report(REPORT_SETUP_FAILED, errno);
        return 1;
    }
    // The gateway may have died before the request above.
    if (options.parent && getppid() != options.parent) return 1;
    close_on_exec(STATUS);

    pid_t launcher = getpid();
    pid_t server = vfork();
    if (server == 0) become_server(&options, launcher);
    if (server < 0) {
        report(REPORT_SETUP_FAILED, errno);
        return 1;
    }
    // The ends of the pipes belong to the server alone, or nobody would see it close them.
    for (int descriptor = 0; descriptor < STATUS; descriptor++) close(descriptor);
    if (trouble.kind) {
        waitpid(server, NULL, 0);
        report(trouble.kind, trouble.value);
        return 1;
    }
    report(REPORT_RUNNING, server);
    report(REPORT_ENDED, supervise(server, &signals));
    return 0;
}
