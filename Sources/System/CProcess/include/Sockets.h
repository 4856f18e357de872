// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_SOCKETS_H
#define GATEHOUSE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

// Listening sockets. Everything is close-on-exec and non-blocking; failures are negative errno values.

/// Listens on an IPv4 or IPv6 literal. `share` lets several sockets have the port (SO_REUSEPORT).
int gatehouse_listen(const char *_Nonnull host, uint16_t port, int backlog, int share);

/// Takes the next waiting connection.
int gatehouse_accept(int listener);

/// Writes the numeric address of this end (`peer` 0) or the other (`peer` 1); `*port` may be left alone for a Unix socket.
int gatehouse_address(int socket, int peer, char *_Nonnull text, size_t capacity, uint16_t *_Nonnull port);

/// Lets connections that come from a listener fail when the other end has not answered for so long: it may have vanished
/// without a word. Connections inherit it.
int gatehouse_watch_peers(int listener, int milliseconds);

/// A reserve descriptor, to be given back when there are no others.
int gatehouse_reserve(void);

#endif
