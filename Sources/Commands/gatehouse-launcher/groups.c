// Gatehouse. SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "groups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int add_group(struct groups *groups, const char *path) {
    if (groups->count == GROUP_LIMIT || path[0] != '/') return 0;
    groups->paths[groups->count++] = path;
    return 1;
}

int add_setting(struct groups *groups, const char *assignment, int is_needed) {
    if (groups->count == 0 || groups->setting_count == SETTING_LIMIT || !strchr(assignment, '=')) return 0;
    groups->settings[groups->setting_count++] = (struct setting){groups->count - 1, assignment, is_needed};
    return 1;
}

static int open_in(const char *group, const char *name, int length, int flags) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%.*s", group, length, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC);
}

static int write_in(const char *group, const char *name, int length, const char *value) {
    int file = open_in(group, name, length, O_WRONLY);
    if (file < 0) return -1;
    ssize_t written = write(file, value, strlen(value));
    int failure = errno;
    close(file);
    errno = failure;
    return written < 0 ? -1 : 0;
}

static int apply(const struct groups *groups, const struct setting *setting) {
    const char *value = strchr(setting->assignment, '=');
    int length = (int)(value - setting->assignment);
    int result = write_in(groups->paths[setting->group], setting->assignment, length, value + 1);
    return result < 0 && setting->is_needed ? -1 : 0;
}

int make_groups(const struct groups *groups) {
    int failure = 0;
    for (int index = 0; index < groups->count && !failure; index++) {
        if (mkdir(groups->paths[index], 0755) < 0) failure = errno;
    }
    for (int index = 0; index < groups->setting_count && !failure; index++) {
        if (apply(groups, &groups->settings[index]) < 0) failure = errno;
    }
    if (failure) remove_groups(groups);
    return failure;
}

int join_groups(const struct groups *groups) {
    for (int index = 0; index < groups->count; index++) {
        // 0 is whoever writes it.
        if (write_in(groups->paths[index], "cgroup.procs", 12, "0") < 0) return -1;
    }
    return 0;
}

static long counter(const char *group, const char *name, const char *key) {
    char text[1024];
    int file = open_in(group, name, (int)strlen(name), O_RDONLY);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    size_t width = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, width) == 0 && line[width] == ' ') return strtol(line + width, NULL, 10);
    }
    return 0;
}

long count_in_groups(const struct groups *groups, const char *file, const char *key) {
    long sum = 0;
    for (int index = 0; index < groups->count; index++) sum += counter(groups->paths[index], file, key);
    return sum;
}

void remove_groups(const struct groups *groups) {
    const struct timespec pause = {0, 2000000};
    for (int index = 0; index < groups->count; index++) {
        for (int round = 0; round < 500 && rmdir(groups->paths[index]) < 0 && errno == EBUSY; round++)
            nanosleep(&pause, NULL);
    }
}
