/* An echo server at the kernel's limit for one thread: epoll, no buffers of its own unless a client is slow.
 *
 *     echo PORT
 *
 * It listens on 127.0.0.1 until it is ended by a signal. One thread, one read and one write for each message, nothing
 * else: what a server in any language can be measured against.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, EVENTS = 512, PIECE = 65536, MOST_DESCRIPTORS = 1 << 20 };

/* What a client has sent and has not taken back yet. Nobody has one who reads as fast as he writes. */
struct debt {
    char *bytes;
    size_t length, sent;
};

static struct debt debts[MOST_DESCRIPTORS];
static char piece[PIECE];
static int poller;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int descriptor, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(poller, operation, descriptor, &event)) fail("epoll_ctl");
}

static void end(int client) {
    free(debts[client].bytes);
    debts[client] = (struct debt){0};
    close(client);
}

/* Keep what the client did not take, and wait until it takes more; nothing is read from it meanwhile. */
static void owe(int client, const char *bytes, size_t length) {
    struct debt *debt = &debts[client];
    debt->bytes = malloc(length);
    if (!debt->bytes) fail("malloc");
    memcpy(debt->bytes, bytes, length);
    debt->length = length;
    debt->sent = 0;
    watch(client, EPOLL_CTL_MOD, EPOLLOUT);
}

static void pay(int client) {
    struct debt *debt = &debts[client];
    ssize_t sent = send(client, debt->bytes + debt->sent, debt->length - debt->sent, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) end(client);
        return;
    }
    debt->sent += sent;
    if (debt->sent == debt->length) {
        free(debt->bytes);
        *debt = (struct debt){0};
        watch(client, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void answer(int client) {
    ssize_t length = recv(client, piece, sizeof piece, 0);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) {
        end(client);
        return;
    }
    ssize_t sent = send(client, piece, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        end(client);
        return;
    }
    if (sent < 0) sent = 0;
    if (sent < length) owe(client, piece + sent, length - sent);
}

static void accept_all(int listener) {
    int on = 1, client;
    while ((client = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
        if (client >= MOST_DESCRIPTORS) {
            close(client);
            continue;
        }
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(client, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int count, char **words) {
    if (count != 2) {
        fprintf(stderr, "usage: echo PORT\n");
        return 2;
    }
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&place, sizeof place)) fail("bind");
    if (listen(listener, BACKLOG)) fail("listen");
    poller = epoll_create1(0);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);

    static struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == listener)
                accept_all(listener);
            else if (debts[descriptor].bytes)
                pay(descriptor);
            else
                answer(descriptor);
        }
    }
}
