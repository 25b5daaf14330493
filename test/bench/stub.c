/*
 * A model provider that costs next to nothing: one epoll loop that answers every POST with the same body, after a delay that
 * is none, fixed, or drawn from a lognormal distribution. Linux only. Never exposed: it trusts its clients.
 *
 *     stub <file with the body to answer>      prints its port, ends with its stdin
 *     GET /reset?mode=none|fixed|lognormal&ms=200&sigma=0.5    forgets all requests, and draws the same delays again
 *     GET /stats    {requests, atOnce, delayMs, spanMs, answeredMs: [when each of a hundred parts was answered]}, since the first request
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FDS = 20000, MAX_REQUEST = 1 << 20, MAX_EVENTS = 512 };
enum mode { NONE, FIXED, LOGNORMAL };

struct connection {
  char *data;
  size_t used, room;
  uint32_t generation; /* an answer that was due on a connection that has gone is dropped */
  int waiting;
};
struct due {
  int64_t at;
  int fd;
  uint32_t generation;
};

static struct connection connections[MAX_FDS];
static struct due *heap;
static size_t heap_used, heap_room;
static char *answer;
static size_t answer_size;
static enum mode mode = NONE;
static double mode_ms = 0, mode_sigma = 0.5, delay_sum_ms;
static uint64_t random_state;
static int64_t first_at;
static float *answered;
static size_t answered_used, answered_room, requests, at_once, max_at_once;
static int poll_fd, timer_fd;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void *grow(void *old, size_t bytes) {
  void *grown = realloc(old, bytes);
  if (!grown) die("realloc");
  return grown;
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* splitmix64, as a number in (0, 1) */
static double draw(void) {
  uint64_t z = (random_state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  z ^= z >> 31;
  return ((double)(z >> 11) + 0.5) / 9007199254740992.0;
}

static double draw_delay_ms(void) {
  if (mode == NONE) return 0;
  if (mode == FIXED) return mode_ms;
  double normal = sqrt(-2 * log(draw())) * cos(2 * M_PI * draw());
  return mode_ms * exp(mode_sigma * normal);
}

static void push_due(struct due due) {
  if (heap_used == heap_room) heap = grow(heap, (heap_room = heap_room ? heap_room * 2 : 1024) * sizeof *heap);
  size_t i = heap_used++;
  for (; i > 0 && heap[(i - 1) / 2].at > due.at; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  heap[i] = due;
}

static struct due pop_due(void) {
  struct due top = heap[0], last = heap[--heap_used];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= heap_used) break;
    if (child + 1 < heap_used && heap[child + 1].at < heap[child].at) child++;
    if (heap[child].at >= last.at) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = last;
  return top;
}

static void drop(int fd) {
  struct connection *c = &connections[fd];
  if (c->waiting) at_once--;
  c->waiting = 0;
  c->used = 0;
  c->generation++;
  close(fd);
}

static void send_all(int fd, const char *data, size_t size) {
  ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
  if (sent != (ssize_t)size) drop(fd); /* answers are far smaller than a socket's buffer */
}

static void send_answer(int fd) {
  at_once--;
  connections[fd].waiting = 0;
  if (answered_used == answered_room)
    answered = grow(answered, (answered_room = answered_room ? answered_room * 2 : 65536) * sizeof *answered);
  answered[answered_used++] = (float)((double)(now_ns() - first_at) / 1e6);
  send_all(fd, answer, answer_size);
}

static double parameter(const char *request, const char *name, double fallback) {
  const char *end = strstr(request, "\r\n"), *found = strstr(request, name);
  return found && found < end ? atof(found + strlen(name)) : fallback;
}

static void send_control(int fd, const char *request) {
  char body[4096];
  int size = 0;
  if (strncmp(request, "GET /reset", 10) == 0) {
    const char *end = strstr(request, "\r\n");
    const char *lognormal = strstr(request, "mode=lognormal"), *fixed = strstr(request, "mode=fixed");
    mode = lognormal && lognormal < end ? LOGNORMAL : fixed && fixed < end ? FIXED : NONE;
    mode_ms = parameter(request, "ms=", 0);
    mode_sigma = parameter(request, "sigma=", 0.5);
    random_state = 42;
    requests = answered_used = 0;
    max_at_once = at_once;
    delay_sum_ms = 0;
    first_at = 0;
    size = snprintf(body, sizeof body, "{}");
  } else {
    double span = answered_used ? answered[answered_used - 1] : 0;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_ms = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
    size = snprintf(body, sizeof body, "{\"requests\":%zu,\"atOnce\":%zu,\"delayMs\":%.1f,\"spanMs\":%.1f,\"cpuMs\":%.1f,\"answeredMs\":[",
                    requests, max_at_once, delay_sum_ms, span, cpu_ms);
    for (size_t part = 0; part <= 100; part++) {
      size_t i = answered_used ? (answered_used - 1) * part / 100 : 0;
      size += snprintf(body + size, sizeof body - (size_t)size, "%s%.1f", part ? "," : "", answered_used ? (double)answered[i] : 0.0);
    }
    size += snprintf(body + size, sizeof body - (size_t)size, "]}");
  }
  char whole[5000];
  int length = snprintf(whole, sizeof whole, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", size, body);
  send_all(fd, whole, (size_t)length);
}

/* One whole request in the buffer, or not yet. Clients do not pipeline. */
static void take_request(int fd) {
  struct connection *c = &connections[fd];
  c->data[c->used] = 0;
  char *head_end = strstr(c->data, "\r\n\r\n");
  if (!head_end) return;
  size_t size = (size_t)(head_end + 4 - c->data);
  for (char *line = c->data; line < head_end; line = strstr(line, "\r\n") + 2)
    if (strncasecmp(line, "content-length:", 15) == 0) size += strtoul(line + 15, NULL, 10);
  if (c->used < size) return;
  c->used = 0;
  if (strncmp(c->data, "GET ", 4) == 0) {
    send_control(fd, c->data);
    return;
  }
  double delay_ms = draw_delay_ms();
  if (requests++ == 0) first_at = now_ns();
  delay_sum_ms += delay_ms;
  c->waiting = 1;
  if (++at_once > max_at_once) max_at_once = at_once;
  if (mode == NONE) send_answer(fd);
  else push_due((struct due){now_ns() + (int64_t)(delay_ms * 1e6), fd, c->generation});
}

static void read_from(int fd) {
  struct connection *c = &connections[fd];
  for (;;) {
    if (c->used + 4097 > c->room) {
      if (c->room >= MAX_REQUEST) return drop(fd);
      c->data = grow(c->data, c->room = c->room ? c->room * 2 : 16384);
    }
    ssize_t got = recv(fd, c->data + c->used, c->room - c->used - 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return drop(fd);
    c->used += (size_t)got;
    uint32_t generation = c->generation;
    take_request(fd);
    if (c->generation != generation || c->used == 0) return;
  }
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= MAX_FDS) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) < 0) close(fd);
  }
}

static void set_timer(void) {
  static int64_t set_to = -1;
  int64_t at = heap_used ? heap[0].at : 0;
  if (at == set_to) return;
  set_to = at;
  struct itimerspec when = {.it_value = {at / 1000000000, at % 1000000000}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void load_answer(const char *path) {
  static char body[65536];
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  size_t size = fread(body, 1, sizeof body, file);
  fclose(file);
  answer = grow(NULL, size + 256);
  int head = sprintf(answer, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", size);
  memcpy(answer + head, body, size);
  answer_size = (size_t)head + size;
}

int main(int count, char **arguments) {
  if (count < 2) return fprintf(stderr, "stub <file with the body to answer>\n"), 2;
  load_answer(arguments[1]);
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {MAX_FDS, MAX_FDS};
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);

  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  int own[] = {listener, timer_fd, STDIN_FILENO};
  for (int i = 0; i < 3; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = own[i]};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, own[i], &event) < 0) die("epoll_ctl");
  }
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(poll_fd, events, MAX_EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) accept_all(listener);
      else if (fd == STDIN_FILENO) return 0;
      else if (fd == timer_fd) {
        uint64_t times;
        if (read(timer_fd, &times, sizeof times) < 0) continue;
      } else read_from(fd);
    }
    int64_t now = heap_used ? now_ns() : 0;
    while (heap_used && heap[0].at <= now) {
      struct due due = pop_due();
      if (connections[due.fd].generation == due.generation && connections[due.fd].waiting) send_answer(due.fd);
    }
    set_timer();
  }
}
