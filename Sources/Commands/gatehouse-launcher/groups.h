// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_GROUPS_H
#define GATEHOUSE_GROUPS_H

// Control groups that bound a server's memory and processes, of either version. They are made for one server and removed
// after it, by the process that is sure to outlive it.

enum { GROUP_LIMIT = 2, SETTING_LIMIT = 8 };

struct setting {
    int group;
    /// NAME=VALUE, a file of the group and what is written to it.
    const char *assignment;
    int is_needed;
};

struct groups {
    const char *paths[GROUP_LIMIT];
    int count;
    struct setting settings[SETTING_LIMIT];
    int setting_count;
};

/// Notes a group to be made, by the absolute path of its directory; false if there are too many.
int add_group(struct groups *groups, const char *path);

/// Notes a setting of the group noted last; false if there is none, or if there are too many.
int add_setting(struct groups *groups, const char *assignment, int is_needed);

/// Makes the groups with their settings; 0, or an errno value, and then none is left.
int make_groups(const struct groups *groups);

/// Moves the calling process into the groups; only system calls. 0, or -1 and errno.
int join_groups(const struct groups *groups);

/// The sum of a counter over the groups: a line `KEY NUMBER` in one of their files.
long count_in_groups(const struct groups *groups, const char *file, const char *key);

/// Removes the groups; waits a moment for the kernel to have forgotten their last process.
void remove_groups(const struct groups *groups);

#endif
