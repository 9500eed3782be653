/* A load on an echo server at the kernel's limit for one thread, in one of two modes:
 *
 *     load echo PORT CLIENTS SECONDS SIZE     each client sends SIZE bytes, waits for as many, sends again
 *     load connect PORT CLIENTS SECONDS       each client connects, half-closes, reads to the end, and connects again
 *
 * The server is on 127.0.0.1. The result is one line of JSON on standard output: how many clients and seconds, the rate
 * (`per_second`), and the latency in microseconds (`p50`, `p99`, `max`): of a round trip, or from connect(2) until the
 * connection stood. Replies are counted by their bytes and not looked at: this is the limit, not a test.
 *
 * Exit code 1: something could not be opened; 2: wrong use; 3: the server closed, or reset, a connection that it should
 * not have.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, PIECE = 65536, MOST_DESCRIPTORS = 1 << 20, MOST_LATENCIES = 20 * 1000 * 1000 };
/* Connections leave a port in TIME-WAIT, and an address has 28,000 of them; all of 127/8 is this machine. */
enum { SOURCES = 32 };
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static double begun_at[MOST_DESCRIPTORS]; /* when a client last sent, or began to connect */
static int missing[MOST_DESCRIPTORS];     /* bytes that the reply still lacks; -1: connecting */
static float *latencies;
static long count;
static char piece[PIECE];
static int poller;
static struct sockaddr_in server;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what, int code) {
    perror(what);
    exit(code);
}

static void took(double seconds) {
    if (count < MOST_LATENCIES) latencies[count] = seconds;
    count++;
}

static int by_size(const void *one, const void *other) {
    float a = *(const float *)one, b = *(const float *)other;
    return (a > b) - (a < b);
}

static void report(int clients, double seconds) {
    long kept = count < MOST_LATENCIES ? count : MOST_LATENCIES;
    qsort(latencies, kept, sizeof *latencies, by_size);
    double p50 = kept ? latencies[kept / 2] * 1e6 : 0, p99 = kept ? latencies[(long)(kept * .99)] * 1e6 : 0;
    double most = kept ? latencies[kept - 1] * 1e6 : 0;
    printf("{\"clients\": %d, \"seconds\": %.4f, \"count\": %ld, \"per_second\": %.1f, ", clients, seconds, count,
           count / seconds);
    printf("\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}\n", p50, p99, most);
}

static void watch(int descriptor, int operation, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(poller, operation, descriptor, &event)) fail("epoll_ctl", 1);
}

/* Echo: all clients are connected, one after the other, before the first message leaves. */

static void say(int client, const char *message, int size, double at) {
    begun_at[client] = at;
    missing[client] = size;
    if (send(client, message, size, MSG_NOSIGNAL) != size) fail("send", 3);
}

static void echo(int clients, double seconds, int size) {
    char *message = malloc(size);
    int *all = calloc(clients, sizeof *all), on = 1;
    memset(message, 'x', size);
    message[size - 1] = '\n';
    for (int i = 0; i < clients; i++) {
        int client = all[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (client < 0 || client >= MOST_DESCRIPTORS) fail("socket", 1);
        if (connect(client, (struct sockaddr *)&server, sizeof server)) fail("connect", 1);
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(client, EPOLL_CTL_ADD, EPOLLIN);
    }
    double start = now();
    for (int i = 0; i < clients; i++) say(all[i], message, size, now());

    static struct epoll_event events[EVENTS];
    while (now() - start < seconds) {
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            int client = events[i].data.fd;
            ssize_t length = recv(client, piece, sizeof piece, MSG_DONTWAIT);
            if (length < 0 && errno == EAGAIN) continue;
            if (length <= 0) fail("the server closed a connection", 3);
            missing[client] -= length;
            if (missing[client] > 0) continue;
            double at = now(); /* the end of one is the start of the next: the clock is read once */
            took(at - begun_at[client]);
            say(client, message, size, at);
        }
    }
    report(clients, now() - start);
}

/* Connect: as many as there are clients are under way at any time. */

static void knock(void) {
    static unsigned turn;
    int on = 1, client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client < 0 || client >= MOST_DESCRIPTORS) fail("socket", 1);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + turn++ % SOURCES)}};
    setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(client, (struct sockaddr *)&source, sizeof source)) fail("bind", 1);
    begun_at[client] = now();
    missing[client] = -1;
    if (connect(client, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) fail("connect", 1);
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
}

static void stands(int client) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        errno = error;
        fail("connect", 3);
    }
    took(now() - begun_at[client]);
    missing[client] = 0;
    shutdown(client, SHUT_WR);
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

static void connects(int clients, double seconds) {
    double start = now();
    for (int i = 0; i < clients; i++) knock();

    static struct epoll_event events[EVENTS];
    while (now() - start < seconds) {
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            int client = events[i].data.fd;
            if (missing[client] < 0) {
                stands(client);
                continue;
            }
            ssize_t length = recv(client, piece, sizeof piece, 0);
            if (length > 0 || (length < 0 && errno == EAGAIN)) continue;
            if (length < 0) fail("the server broke a connection off", 3);
            close(client);
            knock();
        }
    }
    report(clients, now() - start);
}

int main(int words, char **word) {
    int is_echo = words == 6 && !strcmp(word[1], "echo");
    if (!is_echo && !(words == 5 && !strcmp(word[1], "connect"))) {
        fprintf(stderr, "usage: load echo PORT CLIENTS SECONDS SIZE | load connect PORT CLIENTS SECONDS\n");
        return 2;
    }
    server = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(atoi(word[2])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    poller = epoll_create1(0);
    latencies = malloc(MOST_LATENCIES * sizeof *latencies);
    if (!latencies) fail("malloc", 1);
    if (is_echo)
        echo(atoi(word[3]), atof(word[4]), atoi(word[5]));
    else
        connects(atoi(word[3]), atof(word[4]));
    return 0;
}
