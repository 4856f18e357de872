// Gatehouse. SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "Sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
} address_t;

static int failed(int descriptor) {
    int code = errno;
    close(descriptor);
    return -code;
}

int gatehouse_listen(const char *host, uint16_t port, int backlog, int share) {
    address_t address;
    socklen_t size;
    memset(&address, 0, sizeof address);
    if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        size = sizeof address.v4;
    } else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
        size = sizeof address.v6;
    } else {
        return -EINVAL;
    }
    int one = 1;
    int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) return -errno;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) return failed(listener);
    if (share && setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0) return failed(listener);
    if (bind(listener, &address.any, size) < 0) return failed(listener);
    if (listen(listener, backlog) < 0) return failed(listener);
    return listener;
}

int gatehouse_accept(int listener) {
    int connection;
    do connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (connection < 0 && errno == EINTR);
    return connection < 0 ? -errno : connection;
}

int gatehouse_address(int socket, int peer, char *text, size_t capacity, uint16_t *port) {
    address_t address;
    socklen_t size = sizeof address;
    int result = peer ? getpeername(socket, &address.any, &size) : getsockname(socket, &address.any, &size);
    if (result < 0) return -errno;
    const void *number;
    if (address.any.sa_family == AF_INET) {
        number = &address.v4.sin_addr;
        *port = ntohs(address.v4.sin_port);
    } else if (address.any.sa_family == AF_INET6) {
        number = &address.v6.sin6_addr;
        *port = ntohs(address.v6.sin6_port);
    } else {
        return -EAFNOSUPPORT;
    }
    return inet_ntop(address.any.sa_family, number, text, capacity) ? 0 : -errno;
}

int gatehouse_watch_peers(int listener, int milliseconds) {
    // Three signs of life that nobody answers, the last of which comes before the time is over.
    int on = 1, times = 3, seconds = milliseconds < 4000 ? 1 : milliseconds / 4000;
    unsigned limit = (unsigned)milliseconds;
    if (setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0) return -errno;
    if (setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds) < 0) return -errno;
    if (setsockopt(listener, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds) < 0) return -errno;
    if (setsockopt(listener, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times) < 0) return -errno;
    return setsockopt(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit) < 0 ? -errno : 0;
}

int gatehouse_reserve(void) {
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}
