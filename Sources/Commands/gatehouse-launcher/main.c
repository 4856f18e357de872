// Gatehouse. SPDX-License-Identifier: MIT

// gatehouse-launcher [--parent PID] [--chdir DIR] [MORE...] -- /absolute/path [ARGUMENT...]
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
// A confined server has two launchers:
//
//     launcher --wrapper 1 [--group DIR --set NAME=VALUE --try NAME=VALUE]... -- /usr/bin/bwrap ... --
//         launcher --inside 1 [--chdir DIR] [--memory BYTES] [--processes NUMBER] -- /the/server
//
// The outer one is as above, but its command is bubblewrap: it makes control groups and removes them, and what it passes
// on reaches the inner one only, since bubblewrap takes everything with it when it ends. The inner one is the first
// process in there. The server's pipes pass bubblewrap as descriptors 4 and 5, which it does not keep: otherwise nobody
// would see the server close them.
//
// Not covered: kill -9 of the launcher itself kills the server, but not what an unconfined server started.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "report.h"
#include "tree.h"

enum { STATUS = 3, WRAPPED_INPUT = 4, WRAPPED_OUTPUT = 5, USAGE = 2 };

static void report(int32_t kind, int32_t value) {
    struct report record = {kind, value};
    ssize_t written;
    do written = write(STATUS, &record, sizeof record);
    while (written < 0 && errno == EINTR);
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

/// Hands the pipes to what is wrapped, past the wrapper.
static int put_pipes_aside(void) {
    if (dup2(0, WRAPPED_INPUT) < 0 || dup2(1, WRAPPED_OUTPUT) < 0) return -1;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0) return -1;
    close(nothing);
    return fcntl(STATUS, F_SETFD, 0);
}

static int take_pipes_back(void) {
    return dup2(WRAPPED_INPUT, 0) < 0 || dup2(WRAPPED_OUTPUT, 1) < 0 ? -1 : 0;
}

static int bound(int resource, unsigned long value) {
    const struct rlimit limit = {value, value};
    return value ? setrlimit(resource, &limit) : 0;
}

/// The child's part. Only system calls: it runs on the launcher's stack.
static void become_server(const struct options *options, pid_t launcher) {
    sigset_t none;
    sigemptyset(&none);
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(REPORT_SETUP_FAILED);
    if (getppid() != launcher) _exit(127);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(REPORT_SETUP_FAILED);
    if (options->is_inside && take_pipes_back() < 0) fail(REPORT_SETUP_FAILED);
    if (close_range(STATUS + 1, ~0u, 0) < 0) fail(REPORT_SETUP_FAILED);
    if (options->is_wrapper && put_pipes_aside() < 0) fail(REPORT_SETUP_FAILED);
    if (join_groups(&options->groups) < 0) fail(REPORT_GROUP_FAILED);
    if (options->directory && chdir(options->directory) < 0) fail(REPORT_CHDIR_FAILED);
    if (bound(RLIMIT_AS, options->memory) < 0 || bound(RLIMIT_NPROC, options->processes) < 0)
        fail(REPORT_SETUP_FAILED);
    reset_signals();
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(options->command[0], options->command, environ);
    fail(options->is_wrapper ? REPORT_WRAPPER_FAILED : REPORT_EXEC_FAILED);
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
static int supervise(pid_t server, const struct options *options, const sigset_t *signals) {
    int status = 0;
    for (;;) {
        int number = sigwaitinfo(signals, NULL);
        switch (number) {
        case SIGCHLD:
            if (!reap(server, &status)) break;
            kill_tree(0, NULL);
            return status;
        case SIGTERM:
            if (options->is_wrapper) signal_children(server, SIGTERM);
            else signal_tree(SIGTERM);
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

/// Makes this process the one that the server's fate is tied to; false if the gateway is gone already.
static int settle(const struct options *options) {
    // Inside, bubblewrap has seen to both: the first process of a namespace takes everything with it. What is left is
    // that the server, which has the same user, shall not write reports in its stead.
    if (options->is_inside) return prctl(PR_SET_DUMPABLE, 0) == 0;
    if (prctl(PR_SET_PDEATHSIG, SIGUSR1) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        report(REPORT_SETUP_FAILED, errno);
        return 0;
    }
    // The gateway may have died before the request above.
    return !options->parent || getppid() == options->parent;
}

/// Starts the server, waits for its end, and reports; false if it could not be started.
static int run(const struct options *options, const sigset_t *signals) {
    pid_t launcher = getpid();
    pid_t server = vfork();
    if (server == 0) become_server(options, launcher);
    if (server < 0) {
        report(REPORT_SETUP_FAILED, errno);
        return 0;
    }
    // The ends of the pipes belong to the server alone, or nobody would see it close them.
    for (int descriptor = 0; descriptor < STATUS; descriptor++) close(descriptor);
    close_range(STATUS + 1, ~0u, 0);
    if (trouble.kind) {
        waitpid(server, NULL, 0);
        report(trouble.kind, trouble.value);
        return 0;
    }
    if (!options->is_wrapper) report(REPORT_RUNNING, server);
    int status = supervise(server, options, signals);
    long kills = count_in_groups(&options->groups, "memory.oom_control", "oom_kill")
        + count_in_groups(&options->groups, "memory.events", "oom_kill");
    long refusals = count_in_groups(&options->groups, "pids.events", "max");
    if (kills > 0) report(REPORT_MEMORY_KILLS, kills < INT32_MAX ? (int32_t)kills : INT32_MAX);
    if (refusals > 0) report(REPORT_PROCESS_REFUSALS, refusals < INT32_MAX ? (int32_t)refusals : INT32_MAX);
    report(options->is_wrapper ? REPORT_WRAPPER_ENDED : REPORT_ENDED, status);
    return 1;
}

int main(int count, char **arguments) {
    static struct options options;
    if (!parse_options(count, arguments, &options)) {
        static const char usage[] = "usage: gatehouse-launcher [OPTION VALUE]... -- /path [ARGUMENT...]\n";
        return write(2, usage, sizeof usage - 1) < 0 ? 1 : USAGE;
    }
    sigset_t signals;
    sigfillset(&signals);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    if (!settle(&options)) return 1;
    close_on_exec(STATUS);

    int failure = make_groups(&options.groups);
    if (failure) {
        report(REPORT_GROUP_FAILED, failure);
        return 1;
    }
    int has_run = run(&options, &signals);
    remove_groups(&options.groups);
    return has_run ? 0 : 1;
}
