// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CCurl_SHIM_H
#define GATEHOUSE_CCurl_SHIM_H
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

// Swift cannot call variadic functions: one function for each kind of argument.

typedef size_t (*gatehouse_curl_sink)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);

static inline CURLcode gatehouse_curl_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_size(CURL *_Nonnull easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_text(CURL *_Nonnull easy, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_pointer(CURL *_Nonnull easy, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_sink(CURL *_Nonnull easy, CURLoption option, gatehouse_curl_sink _Nullable value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_open_socket(CURL *_Nonnull easy, curl_opensocket_callback _Nullable value) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}

static inline CURLcode gatehouse_curl_set_before_request(CURL *_Nonnull easy, curl_prereq_callback _Nullable value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

// The bytes of an address, the first written first; their number, or 0 if it is none of IP. The structure ends in memory
// that its type does not show, so Swift must not copy it.
static inline size_t gatehouse_curl_address(const struct curl_sockaddr *_Nonnull socket, unsigned char *_Nonnull bytes) {
    if (socket->family == AF_INET && socket->addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in address;
        memcpy(&address, &socket->addr, sizeof address);
        memcpy(bytes, &address.sin_addr, 4);
        return 4;
    }
    if (socket->family == AF_INET6 && socket->addrlen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 address;
        memcpy(&address, &socket->addr, sizeof address);
        memcpy(bytes, &address.sin6_addr, 16);
        return 16;
    }
    return 0;
}

static inline CURLMcode gatehouse_curl_multi_set_pointer(CURLM *_Nonnull multi, CURLMoption option, void *_Nullable value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode gatehouse_curl_multi_set_on_socket(CURLM *_Nonnull multi, curl_socket_callback _Nullable value) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}

static inline CURLMcode gatehouse_curl_multi_set_on_timer(CURLM *_Nonnull multi, curl_multi_timer_callback _Nullable value) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}

#endif
