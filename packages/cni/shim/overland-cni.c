/*
 * overland-cni: the executable that container runtimes run. It has no logic of its own: it sends its name, the
 * runtime's variables and its standard input to the agent's socket, and prints what comes back.
 *
 *   POST /v1/cni  { "program": "overland", "env": { "CNI_COMMAND": "ADD", ... }, "stdin": "{ ... }" }
 *   200: print the body, exit 0.   422: print the body, exit 1.   Anything else: there is no agent.
 *
 * Without an agent DEL is left for it in a file, VERSION is answered here, and the rest fails with an error that
 * makes the runtime try again. overland-cni.pl does the same for machines without a C compiler.
 *
 *   gcc -Os -static -o overland overland-cni.c && ln overland overland-ipam
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define INPUT_LIMIT (256 * 1024)
#define REPLY_LIMIT (4 * 1024 * 1024)
#define CONNECT_S 5
#define ANSWER_S 90
/* Others are given by -D, as `overland cni install` does, or in the runtime's environment. */
#ifndef API_SOCKET
#define API_SOCKET "/run/overland/agent.sock"
#define STATE_DIRECTORY "/var/lib/overland"
#endif

extern char **environ;

struct text {
	char *at;
	size_t length, size;
};

static void append(struct text *text, const char *from, size_t length)
{
	if (text->length + length + 1 > text->size) {
		text->size = (text->length + length + 1) * 2;
		text->at = realloc(text->at, text->size);
		if (!text->at)
			exit(1);
	}
	memcpy(text->at + text->length, from, length);
	text->length += length;
	text->at[text->length] = 0;
}

#define add(text, from) append(text, from, strlen(from))

static void add_json(struct text *text, const char *from, size_t length)
{
	char escaped[8];
	add(text, "\"");
	for (size_t i = 0; i < length; i++) {
		unsigned char c = from[i];
		if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			append(text, escaped, snprintf(escaped, sizeof escaped, "\\u%04x", c));
		else
			append(text, (char *)&c, 1);
	}
	append(text, "\"", 1);
}

/* Everything, or nothing when it is over the limit or an error comes first. */
static int read_all(int fd, struct text *into, size_t limit)
{
	char part[16384];
	ssize_t got;
	while ((got = read(fd, part, sizeof part)) != 0) {
		if ((got < 0 && errno != EINTR) || (got > 0 && into->length + got > limit))
			return -1;
		append(into, part, got > 0 ? got : 0);
	}
	return 0;
}

static int write_all(int fd, const char *from, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, from, length);
		if (written < 0 && errno != EINTR)
			return -1;
		from += written > 0 ? written : 0;
		length -= written > 0 ? written : 0;
	}
	return 0;
}

static int fail(int code, const char *message, const char *about)
{
	struct text out = {0};
	char start[64];
	append(&out, start, snprintf(start, sizeof start, "{\"cniVersion\":\"1.0.0\",\"code\":%d,\"msg\":", code));
	add_json(&out, message, strlen(message));
	add(&out, ",\"details\":");
	add_json(&out, about, strlen(about));
	add(&out, "}\n");
	write_all(1, out.at, out.length);
	return 1;
}

/* The agent's answer with the HTTP status returned, or -1: it does not answer. */
static int ask(const char *path, const struct text *body, struct text *reply, const char **answer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval sending = {.tv_sec = CONNECT_S}, answering = {.tv_sec = ANSWER_S};
	struct text head = {0};
	char length[64];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	strcpy(address.sun_path, path);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &sending, sizeof sending);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &answering, sizeof answering);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return -1;
	snprintf(length, sizeof length, "%zu\r\n\r\n", body->length);
	add(&head, "POST /v1/cni HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ");
	add(&head, length);
	if (write_all(fd, head.at, head.length) < 0 || write_all(fd, body->at, body->length) < 0)
		return -1;
	if (read_all(fd, reply, REPLY_LIMIT) < 0 || !reply->at || strncmp(reply->at, "HTTP/1.", 7) != 0)
		return -1;
	char *end = strstr(reply->at, "\r\n\r\n") ?: reply->at;
	*answer = end + 4;
	/* An agent that is killed while it writes must not be taken at half its word. */
	const char *told = strcasestr(reply->at, "\r\nContent-Length:");
	size_t expected = told && told < end ? strtoul(told + 17, NULL, 10) : 0;
	if (reply->length - (*answer - reply->at) != expected)
		return -1;
	return atoi(reply->at + 9);
}

/* Whether the call is on disk, for the agent to do when it comes. */
static int leave(const char *state, const struct text *body)
{
	char directory[512], name[600], aside[608];
	if (snprintf(directory, sizeof directory, "%s/cni", state) >= (int)sizeof directory)
		return 0;
	mkdir(state, 0700), mkdir(directory, 0700);
	snprintf(name, sizeof name, "%s/del-%010lld-%09d-%d.json", directory, (long long)time(NULL), 0, (int)getpid());
	snprintf(aside, sizeof aside, "%s.new", name);
	int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && folder >= 0 && write_all(fd, body->at, body->length) == 0 && fsync(fd) == 0 &&
	    rename(aside, name) == 0 && fsync(folder) == 0)
		return 1;
	unlink(aside);
	return 0;
}

int main(int argc, char **argv)
{
	struct text input = {0}, body = {0}, reply = {0};
	const char *command = getenv("CNI_COMMAND") ?: "", *answer = "", *separator = "";
	const char *socket_path = getenv("OVERLAND_API_SOCKET"), *state = getenv("OVERLAND_STATE_DIRECTORY");
	const char *program = argc > 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	socket_path = socket_path && *socket_path ? socket_path : API_SOCKET;
	state = state && *state ? state : STATE_DIRECTORY;
	append(&input, "", 0);
	signal(SIGPIPE, SIG_IGN);
	if (read_all(0, &input, INPUT_LIMIT) < 0)
		return fail(5, "standard input cannot be read, or is over 256 KiB", "");
	add(&body, "{\"program\":");
	add_json(&body, program, strlen(program));
	add(&body, ",\"env\":{");
	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		if (!equals || (strncmp(*entry, "CNI_", 4) != 0 && strncmp(*entry, "PATH=", 5) != 0))
			continue;
		add(&body, separator);
		add_json(&body, *entry, equals - *entry);
		add(&body, ":");
		add_json(&body, equals + 1, strlen(equals + 1));
		separator = ",";
	}
	add(&body, "},\"stdin\":");
	add_json(&body, input.at, input.length);
	add(&body, "}");
	int status = ask(socket_path, &body, &reply, &answer);
	if (status == 200 || status == 422)
		return write_all(1, answer, strlen(answer)) < 0 || status == 422;
	if (strcmp(command, "DEL") == 0 && leave(state, &body))
		return 0;
	if (strcmp(command, "VERSION") == 0) {
		puts("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":["
		     "\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
		return 0;
	}
	return fail(strcmp(command, "STATUS") == 0 ? 50 : 11, "the agent of Overland does not answer", socket_path);
}
