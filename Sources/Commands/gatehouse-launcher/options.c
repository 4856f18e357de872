// Gatehouse. SPDX-License-Identifier: MIT
#include "options.h"

#include <stdlib.h>
#include <string.h>

static int take(const char *name, const char *value, struct options *options) {
    if (strcmp(name, "--parent") == 0) options->parent = (pid_t)atol(value);
    else if (strcmp(name, "--chdir") == 0) options->directory = value;
    else if (strcmp(name, "--wrapper") == 0) options->is_wrapper = atoi(value);
    else if (strcmp(name, "--inside") == 0) options->is_inside = atoi(value);
    else if (strcmp(name, "--memory") == 0) options->memory = strtoul(value, NULL, 10);
    else if (strcmp(name, "--processes") == 0) options->processes = strtoul(value, NULL, 10);
    else if (strcmp(name, "--group") == 0) return add_group(&options->groups, value);
    else if (strcmp(name, "--set") == 0) return add_setting(&options->groups, value, 1);
    else if (strcmp(name, "--try") == 0) return add_setting(&options->groups, value, 0);
    else return 0;
    return 1;
}

int parse_options(int count, char **arguments, struct options *options) {
    int index = 1;
    while (index < count && strcmp(arguments[index], "--") != 0) {
        if (index + 1 >= count || !take(arguments[index], arguments[index + 1], options)) return 0;
        index += 2;
    }
    options->command = arguments + index + 1;
    return index + 1 < count && options->command[0][0] == '/';
}
