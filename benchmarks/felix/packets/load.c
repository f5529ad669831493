/*
 * The load of `packets.ts`, one process an end: what it measures is the way between them, so it does as little as it can.
 *
 *   load serve PORT                    answers on PORT (closes at once), PORT+1 (echoes), PORT+2 (reads), PORT+3 (UDP)
 *   load connect|answer|stream|packets ADDRESS PORT MILLISECONDS
 *
 * A client writes how many it got done: connections, round trips, octets, packets handed to the kernel.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GREETING 'h'

static char buffer[128 * 1024];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in place(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) fail(address);
  return to;
}

static int open_socket(int type) {
  int fd = socket(AF_INET, type, 0);
  if (fd < 0) fail("socket");
  return fd;
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* An end with its own process, gone with the first one. */
static int child(void) {
  int pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return pid == 0;
}

static int listening(int port) {
  int fd = open_socket(SOCK_STREAM);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = place("0.0.0.0", port);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) fail("bind");
  if (listen(fd, 4096) < 0) fail("listen");
  return fd;
}

static void serve_closing(int port) {
  int fd = listening(port);
  for (;;) {
    int peer = accept(fd, NULL, NULL);
    if (peer >= 0) close(peer);
  }
}

static void serve_reading(int port, int echoes) {
  int fd = listening(port);
  int on = 1;
  for (;;) {
    int peer = accept(fd, NULL, NULL);
    if (peer < 0) continue;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (ssize_t got; (got = read(peer, buffer, sizeof buffer)) > 0;) {
      if (echoes && write(peer, buffer, got) < 0) break;
    }
    close(peer);
  }
}

/* Answers greetings; the rest is dropped unread: what the interface has received is counted. */
static void serve_datagrams(int port) {
  int fd = open_socket(SOCK_DGRAM);
  struct sock_filter greetings[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), /* behind the UDP header */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GREETING, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {.len = 4, .filter = greetings};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) fail("filter");
  struct sockaddr_in at = place("0.0.0.0", port);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) fail("bind");
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    if (recvfrom(fd, buffer, 1, 0, (struct sockaddr *)&from, &size) < 0) continue;
    sendto(fd, buffer, 1, 0, (struct sockaddr *)&from, size);
  }
}

static void serve(int port) {
  if (child()) serve_closing(port);
  if (child()) serve_reading(port + 1, 1);
  if (child()) serve_reading(port + 2, 0);
  serve_datagrams(port + 3);
}

static int connected(struct sockaddr_in to) {
  int fd = open_socket(SOCK_STREAM);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  return fd;
}

static long connects(struct sockaddr_in to, double until) {
  /* Reset on close: no port stays in TIME_WAIT. */
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  long count = 0;
  for (; now_ms() < until; count++) {
    int fd = connected(to);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
  }
  return count;
}

static long answers(struct sockaddr_in to, double until) {
  int fd = connected(to);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  long count = 0;
  for (; now_ms() < until; count++) {
    if (write(fd, buffer, 1) != 1 || read(fd, buffer, 1) != 1) fail("answer");
  }
  return count;
}

static long streams(struct sockaddr_in to, double until) {
  int fd = connected(to);
  long count = 0;
  while (now_ms() < until) {
    ssize_t sent = write(fd, buffer, sizeof buffer);
    if (sent < 0) fail("stream");
    count += sent;
  }
  return count;
}

static long packets(struct sockaddr_in to, double until) {
  int fd = open_socket(SOCK_DGRAM);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  /* With an answer the connection is an established one. */
  char greeting = GREETING;
  if (send(fd, &greeting, 1, 0) != 1 || recv(fd, &greeting, 1, 0) != 1) fail("greeting");
  long count = 0;
  while (now_ms() < until) {
    for (int i = 0; i < 64; i++) count += send(fd, buffer, 18, 0) == 18;
  }
  return count;
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "serve") == 0) serve(atoi(words[2]));
  if (count != 5) {
    fprintf(stderr, "load: which load, where to, for how long?\n");
    return 2;
  }
  double until = now_ms() + atof(words[4]);
  int port = atoi(words[3]);
  long done = -1;
  if (strcmp(words[1], "connect") == 0) done = connects(place(words[2], port), until);
  if (strcmp(words[1], "answer") == 0) done = answers(place(words[2], port + 1), until);
  if (strcmp(words[1], "stream") == 0) done = streams(place(words[2], port + 2), until);
  if (strcmp(words[1], "packets") == 0) done = packets(place(words[2], port + 3), until);
  printf("%ld\n", done);
  return done < 0;
}
