// Gatehouse. SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "Descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int gatehouse_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int gatehouse_pipe(int *ends) {
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

int gatehouse_set_cloexec(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

int gatehouse_descriptor_kind(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -errno;
    if (S_ISFIFO(status.st_mode)) return GATEHOUSE_FIFO;
    if (S_ISSOCK(status.st_mode)) return GATEHOUSE_SOCKET;
    return S_ISCHR(status.st_mode) && isatty(descriptor) ? GATEHOUSE_TERMINAL : GATEHOUSE_OTHER;
}

void gatehouse_name_thread(const char *name) {
    prctl(PR_SET_NAME, name);
}

void gatehouse_widen_pipe(int fd, int bytes) {
    fcntl(fd, F_SETPIPE_SZ, bytes);
}
