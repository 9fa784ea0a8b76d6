// HTTP/1.1 load generator: one thread, epoll, one request in flight per connection. It checks no body, only that it is whole.
// Without --rate each connection asks again at once (what does a request cost?). With --rate requests fall due by the clock and
// latency counts from then, so a slow answer hides none that should have been asked meanwhile (how long does one wait?).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "histogram.h"
#include "requests.h"
#include "response.h"

enum { READ_SIZE = 256 << 10, MAX_STREAMS = 4, IDLE_AT_ONCE = 64 };
static const uint64_t SECOND = 1000000000, GRACE = 2 * SECOND;

struct connection {
  struct stream *stream;
  struct connection *next_free;
  int fd;
  bool busy;
  uint64_t due, answered;       // answered: responses on this socket so far
  size_t request, sent;         // index into the list; bytes of it written
  struct response response;
};

// One kind of traffic with its own port, connections, rate and figures.
struct stream {
  int port, connections;
  double rate;
  const char *file;
  size_t first, body;           // first: index of the first request; body: zero bytes after each request
  uint64_t count;               // stop after so many; 0 is without end
  struct request_list requests;
  struct connection *free_head, *free_tail;
  uint64_t sent, done, errors, reconnects, statuses[1000];
  struct histogram latency;
};

static struct stream streams[MAX_STREAMS];
static int stream_count = 1, poller;
static uint64_t begin_at, measure_at, end_at;
static bool idle_mode;
static char received[READ_SIZE], zeros[READ_SIZE];

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

// --- figures

static void record(struct stream *s, const struct connection *c) {
  s->done++;
  if (c->due < measure_at || c->due >= end_at) return;
  s->statuses[c->response.status]++;
  histogram_add(&s->latency, now() - c->due);
}

static void print_figures(const struct stream *s, double seconds) {
  printf("{\"requests\":%lu,\"sent\":%lu,\"seconds\":%.3f,\"statuses\":{", s->latency.total, s->sent, seconds);
  const char *comma = "";
  for (int i = 0; i < 1000; i++)
    if (s->statuses[i]) printf("%s\"%d\":%lu", comma, i, s->statuses[i]), comma = ",";
  printf("},\"errors\":%lu,\"reconnects\":%lu,\"latencyUs\":", s->errors, s->reconnects);
  histogram_print(&s->latency);
  printf("}\n");
}

// --- connections

static void connect_to(struct connection *c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->stream->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  int on = 1;
  if ((c->fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) fail("socket");
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
  c->answered = 0;
}

static void reconnect(struct connection *c) {
  close(c->fd);
  connect_to(c);
}

// First in, first out, so that all connections are used in turn.
static void set_free(struct connection *c) {
  struct stream *s = c->stream;
  c->busy = false;
  c->next_free = NULL;
  if (s->free_head) s->free_tail->next_free = c;
  else s->free_head = c;
  s->free_tail = c;
}

static void finish(struct connection *c);
static void lose(struct connection *c);

static void write_rest(struct connection *c) {
  struct stream *s = c->stream;
  const struct request *r = &s->requests.all[c->request];
  size_t total = r->length + s->body;
  while (c->sent < total) {
    const char *from = c->sent < r->length ? r->bytes + c->sent : zeros;
    size_t most = c->sent < r->length ? r->length - c->sent : total - c->sent;
    ssize_t n = send(c->fd, from, most < READ_SIZE ? most : READ_SIZE, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return lose(c);
    c->sent += (size_t)n;
  }
  if (c->response.part == DONE) finish(c);  // some servers answer before they have read it all
}

static void ask(struct connection *c) {
  c->busy = true;
  c->sent = 0;
  response_begin(&c->response);
  write_rest(c);
}

static void ask_next(struct connection *c, uint64_t due) {
  struct stream *s = c->stream;
  c->request = (s->first + s->sent++) % s->requests.count;
  c->due = due;
  ask(c);
}

// The next request in a closed loop; in an open one the clock decides.
static void go_on(struct connection *c) {
  struct stream *s = c->stream;
  bool more = !s->count || s->sent < s->count;
  if (s->rate == 0 && more && now() < end_at && !idle_mode) ask_next(c, now());
  else set_free(c);
}

static void finish(struct connection *c) {
  record(c->stream, c);
  c->answered++;
  if (c->response.closing) {
    c->stream->reconnects++;
    reconnect(c);
  }
  go_on(c);
}

// The connection broke. A kept one that closes before it answers has only lost the race with our request, which is asked again.
static void lose(struct connection *c) {
  bool raced = c->answered > 0 && c->response.part == HEAD && c->response.head_length == 0;
  bool busy = c->busy;
  c->stream->reconnects += raced || !busy;
  c->stream->errors += busy && !raced;
  reconnect(c);
  if (busy && raced) return ask(c);
  if (busy) go_on(c);
}

static void read_all(struct connection *c) {
  for (;;) {
    ssize_t n = read(c->fd, received, READ_SIZE);
    if (n < 0 && errno == EAGAIN) return;
    if (n == 0 && c->busy && c->response.part == UNTIL_CLOSE) {
      c->response.closing = true;
      return finish(c);
    }
    if (n <= 0 || !c->busy) return lose(c);
    for (ssize_t at = 0; at < n;) {
      ssize_t taken = response_take(&c->response, received + at, (size_t)(n - at));
      if (taken < 0) return lose(c);
      at += taken;
    }
    if (c->response.part == DONE && c->sent == c->stream->requests.all[c->request].length + c->stream->body) return finish(c);
    if (n < READ_SIZE) return;
  }
}

// --- the run

static void open_connections(struct stream *s) {
  struct connection *all = calloc((size_t)s->connections, sizeof *all);
  for (int i = 0; i < s->connections; i++) {
    all[i].stream = s;
    if (!idle_mode) connect_to(&all[i]);
    set_free(&all[i]);
  }
}

static struct connection *take_free(struct stream *s) {
  struct connection *c = s->free_head;
  s->free_head = c->next_free;
  return c;
}

static uint64_t due_at(const struct stream *s) {
  return begin_at + (uint64_t)((double)s->sent * 1e9 / s->rate);
}

// Asks whatever is due on free connections; true while the stream still has something to wait for.
static bool advance(struct stream *s, uint64_t time) {
  bool more = !s->count || s->sent < s->count;
  while (s->rate > 0 && s->free_head && due_at(s) <= time && due_at(s) < end_at) ask_next(take_free(s), due_at(s));
  bool behind = s->rate > 0 && due_at(s) < end_at;
  return (time < end_at && more) || behind || s->done + s->errors < s->sent;
}

static void wait_for_events(int timeout_ms) {
  struct epoll_event events[256];
  int n = epoll_wait(poller, events, 256, timeout_ms);
  if (n == 0 && timeout_ms == 0) sched_yield();
  for (int i = 0; i < n; i++) {
    struct connection *c = events[i].data.ptr;
    if (c->busy && c->sent < c->stream->requests.all[c->request].length + c->stream->body) write_rest(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_all(c);
  }
}

static void run(double warmup, double seconds) {
  bool paced = false, going = true;
  begin_at = now();
  measure_at = begin_at + (uint64_t)(warmup * 1e9);
  end_at = measure_at + (uint64_t)(seconds * 1e9);
  for (int i = 0; i < stream_count; i++) {
    paced |= streams[i].rate > 0;
    while (streams[i].rate == 0 && streams[i].free_head && (!streams[i].count || streams[i].sent < streams[i].count))
      ask_next(take_free(&streams[i]), now());
  }
  // A pacing loop never sleeps: a timer would add its own lateness. It yields, because the upstream may share its core.
  while (going && now() < end_at + GRACE) {
    going = false;
    for (int i = 0; i < stream_count; i++) going |= advance(&streams[i], now());
    if (going) wait_for_events(paced ? 0 : 10);
  }
  for (int i = 0; i < stream_count; i++) {
    streams[i].errors = streams[i].sent - streams[i].done;  // what is still unanswered is one too
    print_figures(&streams[i], (double)((now() < end_at ? now() : end_at) - measure_at) / 1e9);
  }
}

// One request on each connection, a few at a time so that no accept queue overflows; then silence until stdin closes.
static void hold_idle(struct stream *s) {
  measure_at = 0;
  end_at = UINT64_MAX;
  for (int opened = 0; s->done + s->errors < (uint64_t)s->connections; wait_for_events(10)) {
    for (; opened < s->connections && s->sent - s->done - s->errors < IDLE_AT_ONCE; opened++) {
      struct connection *c = take_free(s);
      connect_to(c);
      ask_next(c, now());
    }
  }
  printf("{\"open\":%lu,\"errors\":%lu}\n", s->done, s->errors);
  fflush(stdout);
  while (read(0, received, READ_SIZE) > 0) continue;
}

static const char usage[] =
    "load --port P --connections N --requests FILE --seconds S [--warmup S] [--rate R] [--count N] [--first N] [--body BYTES]\n"
    "     [--and --port … --requests …]   a second kind of traffic beside the first, with figures of its own\n"
    "load --idle N --port P --requests FILE   N connections, one request each, held open until stdin closes\n";

int main(int argc, char **argv) {
  static const struct option options[] = {{"port", 1, 0, 'p'}, {"connections", 1, 0, 'c'}, {"requests", 1, 0, 'f'}, {"seconds", 1, 0, 's'},
      {"warmup", 1, 0, 'w'}, {"rate", 1, 0, 'r'}, {"count", 1, 0, 'n'}, {"first", 1, 0, 'o'}, {"body", 1, 0, 'b'}, {"and", 0, 0, 'a'},
      {"idle", 1, 0, 'i'}, {0, 0, 0, 0}};
  double seconds = 0, warmup = 0;
  struct stream *s = streams;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 'p') s->port = atoi(optarg);
    else if (option == 'c') s->connections = atoi(optarg);
    else if (option == 'f') s->file = optarg;
    else if (option == 's') seconds = atof(optarg);
    else if (option == 'w') warmup = atof(optarg);
    else if (option == 'r') s->rate = atof(optarg);
    else if (option == 'n') s->count = strtoull(optarg, NULL, 10);
    else if (option == 'o') s->first = strtoull(optarg, NULL, 10);
    else if (option == 'b') s->body = strtoull(optarg, NULL, 10);
    else if (option == 'i') s->connections = atoi(optarg), idle_mode = true;
    else if (option == 'a' && stream_count < MAX_STREAMS) s = &streams[stream_count++];
    else return fputs(usage, stderr), 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(0);
  for (int i = 0; i < stream_count; i++) {
    if (!streams[i].port || !streams[i].connections || !streams[i].file) return fputs(usage, stderr), 2;
    streams[i].requests = read_requests(streams[i].file);
    open_connections(&streams[i]);
  }
  if (idle_mode) hold_idle(streams);
  else run(warmup, seconds);
}
