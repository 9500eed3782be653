/* The two ends of a bulk transfer, in a cheap and in an ordinary way:
 *
 *     bulk sink PORT discard|read                  take one connection to its end
 *     bulk source PORT sendfile|write FILE BYTES   send so many bytes of a file
 *
 * On 127.0.0.1. `discard` lets the kernel throw away what came (MSG_TRUNC, tcp(7)), `read` copies it into a buffer;
 * `sendfile` hands the kernel the file's pages, `write` copies them from a buffer that was read before the first byte
 * leaves. The sink prints how many bytes came and the seconds from the first of them to the end, as JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 18 };

static char piece[PIECE];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in place(const char *port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void sink(const char *port, int discard) {
    struct sockaddr_in here = place(port);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1)) fail("listen");
    int connection = accept(listener, 0, 0);
    if (connection < 0) fail("accept");
    double start = 0;
    long long total = 0;
    ssize_t length;
    while ((length = recv(connection, piece, PIECE, discard ? MSG_TRUNC : 0)) > 0) {
        if (!total) start = now();
        total += length;
    }
    if (length < 0) fail("recv");
    printf("{\"bytes\": %lld, \"seconds\": %.6f}\n", total, now() - start);
}

static void source(const char *port, int by_sendfile, const char *path, long long bytes) {
    struct sockaddr_in there = place(port);
    int file = open(path, O_RDONLY), connection = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0) fail(path);
    if (!by_sendfile && read(file, piece, PIECE) < 0) fail("read");
    if (connect(connection, (struct sockaddr *)&there, sizeof there)) fail("connect");
    while (bytes > 0) {
        ssize_t sent;
        if (by_sendfile)
            sent = sendfile(connection, file, 0, bytes > 1 << 30 ? 1 << 30 : bytes);
        else
            sent = send(connection, piece, bytes > PIECE ? PIECE : bytes, MSG_NOSIGNAL);
        if (sent <= 0) fail("send");
        bytes -= sent;
    }
    shutdown(connection, SHUT_WR);
    if (recv(connection, piece, 1, 0) < 0) fail("recv"); /* until the other end has closed too */
}

int main(int words, char **word) {
    if (words == 4 && !strcmp(word[1], "sink"))
        sink(word[2], !strcmp(word[3], "discard"));
    else if (words == 6 && !strcmp(word[1], "source"))
        source(word[2], !strcmp(word[3], "sendfile"), word[4], atoll(word[5]));
    else {
        fprintf(stderr, "usage: bulk sink PORT discard|read | bulk source PORT sendfile|write FILE BYTES\n");
        return 2;
    }
    return 0;
}
