/* natsload_tls: natsload over TLS, for any server that speaks the NATS client protocol and wants TLS
 * after INFO. It believes any certificate.
 *
 * It spends as little CPU as it can (pre-built write buffers, fixed-width MSG frames counted by
 * bytes), so that what it measures is the server.
 *
 *   cc -O2 -pthread -o natsload_tls natsload_tls.c -lssl -lcrypto
 *   ./natsload_tls --port 4222 --pubs 1 --subs 1 --size 16 --msgs 1000000 [--pid SERVER_PID]
 *   ./natsload_tls --port 4222 --latency 20000 --size 16
 *
 *   --pubs P      publishing connections, each sends --msgs messages (default 1)
 *   --subs S      subscribing connections, each subscribes to every subject (default 0)
 *   --sub-port Q  the port subscribers connect to (default: --port); another server of the cluster
 *   --subjects K  publisher i sends on subject bench.<i mod K> (default 1)
 *   --rotate R    each publisher cycles through R subjects, message by message (default 1: fixed)
 *   --size B      payload bytes (default 16)
 *   --headers     publish with HPUB and one header (the frame grows by it)
 *   --latency N   N request/reply round trips, one at a time; prints percentiles in microseconds
 *   --idle N      open N idle connections with one subscription each, then hold for --hold seconds
 *   --pid PID     also report that process's CPU seconds (user+system) and its resident memory
 *   --timeout S   give up after S seconds without progress (default 30)
 * One JSON object on stdout. Exit 1 when a message was lost or a connection was closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port = 4222, subport = 0, pubs = 1, subs = 0, subjects = 1, size = 16, headers = 0;
static int timeout_s = 30, latency = 0, idle = 0, hold = 5, pid = 0, rotate = 1;
static long msgs = 1000000;
static const char *host = "127.0.0.1";
static const char *HDR = "NATS/1.0\r\nTrace: 0123456789abcdef\r\n\r\n";

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static void die(const char *f, ...) { va_list a; va_start(a, f); fprintf(stderr, "natsload: "); vfprintf(stderr, f, a); fputc('\n', stderr); exit(1); }

static double cpu_of(int p) {
  if (!p) return 0;
  char path[64], b[2048]; snprintf(path, sizeof path, "/proc/%d/stat", p);
  FILE *f = fopen(path, "r"); if (!f) return 0;
  size_t n = fread(b, 1, sizeof b - 1, f); b[n] = 0; fclose(f);
  char *s = strrchr(b, ')'); if (!s) return 0;
  unsigned long u = 0, k = 0; sscanf(s + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &k);
  return (double)(u + k) / sysconf(_SC_CLK_TCK);
}
static long rss_of(int p) {
  if (!p) return 0;
  char path[64], line[256]; snprintf(path, sizeof path, "/proc/%d/status", p);
  FILE *f = fopen(path, "r"); if (!f) return 0; long kb = 0;
  while (fgets(line, sizeof line, f)) if (sscanf(line, "VmRSS: %ld", &kb) == 1) break;
  fclose(f); return kb;
}

#define MAX_FDS (1 << 17)
static SSL *tls[MAX_FDS]; /* by file descriptor; each is used by one thread at a time */
static SSL_CTX *context;

static void put(int fd, const char *b, size_t n) {
  while (n) { int w = SSL_write(tls[fd], b, n); if (w <= 0) die("write: TLS error %d", SSL_get_error(tls[fd], w)); b += w; n -= w; }
}
static ssize_t get(int fd, char *b, size_t n) {
  struct pollfd p = {fd, POLLIN, 0};
  if (!SSL_pending(tls[fd]) && poll(&p, 1, timeout_s * 1000) == 0) die("no data for %d s: messages were lost or the server stalled", timeout_s);
  int g = SSL_read(tls[fd], b, n);
  if (g <= 0) die("connection closed by the server");
  return g;
}
static void start_tls(int fd) { /* INFO comes in the clear: byte by byte, so that nothing more is taken */
  char c = 0; while (c != '\n') if (read(fd, &c, 1) != 1) die("no INFO");
  if (fd >= MAX_FDS) die("too many connections");
  tls[fd] = SSL_new(context); SSL_set_fd(tls[fd], fd);
  if (SSL_connect(tls[fd]) != 1) { ERR_print_errors_fp(stderr); die("TLS handshake failed"); }
}
static void until_pong(int fd) { /* and through the end of the line that was begun after it */
  char b[65536]; size_t have = 0;
  for (;;) {
    ssize_t g = get(fd, b + have, sizeof b - 1 - have); have += g; b[have] = 0;
    if (strstr(b, "-ERR")) die("server said: %s", strstr(b, "-ERR"));
    if (strstr(b, "PONG\r\n") && b[have - 1] == '\n') return;
    if (have > 60000) { memmove(b, b + have - 16, 16); have = 16; }
  }
}
static int dial(int p) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(p)}; inet_pton(AF_INET, host, &a.sin_addr);
  if (connect(fd, (void *)&a, sizeof a)) die("connect %s:%d: %s", host, p, strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  start_tls(fd);
  const char *c = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"protocol\":1,\"lang\":\"c\",\"version\":\"0\",\"name\":\"natsload\"}\r\nPING\r\n";
  put(fd, c, strlen(c)); until_pong(fd); return fd;
}

static size_t msg_frame_len(void) { /* MSG bench.00000 1 <n>\r\n<payload>\r\n, or HMSG with two lengths */
  char t[128]; int hl = headers ? (int)strlen(HDR) : 0;
  int n = headers ? snprintf(t, sizeof t, "HMSG bench.00000 1 %d %d\r\n", hl, hl + size) : snprintf(t, sizeof t, "MSG bench.00000 1 %d\r\n", size);
  return n + hl + size + 2;
}

static pthread_barrier_t go;
static double t_start; static _Atomic long long delivered;

static void *publisher(void *arg) {
  int id = (int)(intptr_t)arg, fd = dial(port), hl = headers ? (int)strlen(HDR) : 0;
  char head[128], *payload = malloc(size + 2); memset(payload, 'x', size); memcpy(payload + size, "\r\n", 2);
  long batch = 65536 / (size + 32); if (batch < 1) batch = 1; if (batch > msgs) batch = msgs;
  if (rotate > batch) batch = rotate;
  char *buf = malloc((size_t)batch * (size + hl + 64)); size_t len = 0, *ends = malloc(sizeof(size_t) * batch);
  for (long i = 0; i < batch; i++) {
    int sj = rotate > 1 ? (int)(i % rotate) : id % subjects;
    int n = headers ? snprintf(head, sizeof head, "HPUB bench.%05d %d %d\r\n", sj, hl, hl + size) : snprintf(head, sizeof head, "PUB bench.%05d %d\r\n", sj, size);
    memcpy(buf + len, head, n); len += n; if (hl) { memcpy(buf + len, HDR, hl); len += hl; }
    memcpy(buf + len, payload, size + 2); len += size + 2; ends[i] = len;
  }
  pthread_barrier_wait(&go);
  long left = msgs;
  while (left > 0) { long k = left < batch ? left : batch; put(fd, buf, ends[k - 1]); left -= k; }
  put(fd, "PING\r\n", 6); until_pong(fd);
  return NULL;
}

/* Counts fixed-width message frames; between frames it answers PING and skips INFO. */
typedef struct { size_t frame, left; int in_msg, in_line; } counter;
static long long count_frames(counter *c, int fd, const char *b, size_t n) {
  long long done = 0;
  for (size_t i = 0; i < n;) {
    if (c->in_line) { const char *e = memchr(b + i, '\n', n - i); if (!e) return done; i = e + 1 - b; c->in_line = 0; continue; }
    if (c->left) { size_t k = c->left < n - i ? c->left : n - i; i += k; c->left -= k; if (!c->left && c->in_msg) done++; continue; }
    switch (b[i]) {
      case 'M': case 'H': c->left = c->frame; c->in_msg = 1; break;
      case 'P': put(fd, "PONG\r\n", 6); c->in_line = 1; break;
      case 'I': case '+': c->in_line = 1; break;
      default: die("server said: %.*s", (int)(n - i < 120 ? n - i : 120), b + i);
    }
  }
  return done;
}

static int *subfd;
static void *subscriber(void *arg) {
  int id = (int)(intptr_t)arg, fd = subfd[id]; counter c = {.frame = msg_frame_len()};
  long long want = (long long)msgs * pubs, mine = 0; char *b = malloc(1 << 18);
  pthread_barrier_wait(&go);
  while (mine < want) mine += count_frames(&c, fd, b, get(fd, b, 1 << 18));
  if (mine != want || c.left) die("received more than was published");
  delivered += mine;
  free(b); return NULL;
}

static int cmpd(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return x < y ? -1 : x > y; }

static void *responder(void *arg) {
  int fd = (int)(intptr_t)arg; char b[262144]; size_t have = 0, body = size + 2;
  char *payload = malloc(size + 2), out[256]; memset(payload, 'y', size); memcpy(payload + size, "\r\n", 2);
  for (;;) {
    int g = SSL_read(tls[fd], b + have, sizeof b - have); if (g <= 0) return NULL; have += g; size_t off = 0;
    for (;;) {
      char *eol = memmem(b + off, have - off, "\r\n", 2); if (!eol) break;
      if (!memcmp(b + off, "PING", 4)) { put(fd, "PONG\r\n", 6); off = eol + 2 - b; continue; }
      if (have - (eol + 2 - b) < body) break;
      char subj[64], reply[64]; int sid, n; *eol = 0;
      if (sscanf(b + off, "MSG %63s %d %63s %d", subj, &sid, reply, &n) != 4) die("responder got: %s", b + off);
      int k = snprintf(out, sizeof out, "PUB %s %d\r\n", reply, size); char full[65536 + 256];
      memcpy(full, out, k); memcpy(full + k, payload, body); put(fd, full, k + body);
      off = eol + 2 - b + body;
    }
    memmove(b, b + off, have - off); have -= off;
  }
}

static void run_latency(void) {
  if (size > 60000) die("--latency takes --size up to 60000");
  int rs = dial(subport), rq = dial(port); const char *s = "SUB svc 1\r\nPING\r\n", *i = "SUB _INBOX.natsload 1\r\nPING\r\n";
  put(rs, s, strlen(s)); until_pong(rs); put(rq, i, strlen(i)); until_pong(rq); if (subport != port) usleep(500000);
  pthread_t t; pthread_create(&t, NULL, responder, (void *)(intptr_t)rs);
  char head[128]; int k = snprintf(head, sizeof head, "PUB svc _INBOX.natsload %d\r\n", size); char *req = malloc(k + size + 2);
  memcpy(req, head, k); memset(req + k, 'x', size); memcpy(req + k + size, "\r\n", 2);
  char exp[128]; size_t want = snprintf(exp, sizeof exp, "MSG _INBOX.natsload 1 %d\r\n", size) + size + 2;
  double *d = malloc(sizeof(double) * latency), sum = 0, c0 = cpu_of(pid); char *b = malloc(want + 65536);
  for (int n = -200; n < latency; n++) {
    double t0 = now(); put(rq, req, k + size + 2); size_t got = 0; while (got < want) got += get(rq, b + got, want - got);
    if (n >= 0) { d[n] = (now() - t0) * 1e6; sum += d[n]; }
  }
  double c1 = cpu_of(pid); qsort(d, latency, sizeof(double), cmpd);
  printf("{\"mode\":\"latency\",\"size\":%d,\"n\":%d,\"mean_us\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"server_cpu_us_per_rt\":%.1f,\"server_rss_kb\":%ld}\n",
         size, latency, sum / latency, d[latency / 2], d[latency * 9 / 10], d[latency * 99 / 100], d[(long)latency * 999 / 1000], d[latency - 1], (c1 - c0) * 1e6 / latency, rss_of(pid));
}

static void run_idle(void) {
  struct rlimit r = {1 << 20, 1 << 20}; setrlimit(RLIMIT_NOFILE, &r); long rss0 = rss_of(pid); double t0 = now(); int *fds = malloc(sizeof(int) * idle);
  for (int i = 0; i < idle; i++) { fds[i] = dial(port); char s[64]; int n = snprintf(s, sizeof s, "SUB idle.%d 1\r\nPING\r\n", i); put(fds[i], s, n); until_pong(fds[i]); }
  double t1 = now(); double c0 = cpu_of(pid); sleep(hold); double c1 = cpu_of(pid); long rss1 = rss_of(pid);
  printf("{\"mode\":\"idle\",\"connections\":%d,\"connect_per_s\":%.0f,\"server_rss_kb_before\":%ld,\"server_rss_kb_after\":%ld,\"kb_per_connection\":%.2f,\"idle_cpu_percent\":%.2f}\n",
         idle, idle / (t1 - t0), rss0, rss1, (double)(rss1 - rss0) / idle, 100 * (c1 - c0) / hold);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    char *a = argv[i];
#define INT(flag, var) else if (!strcmp(a, flag) && i + 1 < argc) var = atol(argv[++i])
    if (!strcmp(a, "--headers")) headers = 1;
    else if (!strcmp(a, "--host") && i + 1 < argc) host = argv[++i];
    INT("--port", port); INT("--sub-port", subport); INT("--pubs", pubs); INT("--subs", subs); INT("--subjects", subjects); INT("--rotate", rotate);
    INT("--size", size); INT("--msgs", msgs); INT("--latency", latency); INT("--idle", idle); INT("--hold", hold); INT("--pid", pid); INT("--timeout", timeout_s);
    else die("unknown or incomplete argument %s (see the head of natsload.c)", a);
  }
  if (!subport) subport = port;
  signal(SIGPIPE, SIG_IGN);
  context = SSL_CTX_new(TLS_client_method()); SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  if (latency) { run_latency(); return 0; }
  if (idle) { run_idle(); return 0; }
  pthread_barrier_init(&go, NULL, pubs + subs + 1); pthread_t th[pubs + subs]; subfd = malloc(sizeof(int) * (subs + 1));
  for (int i = 0; i < subs; i++) {
    subfd[i] = dial(subport); char s[64]; int n = snprintf(s, sizeof s, "SUB bench.* 1\r\nPING\r\n");
    put(subfd[i], s, n); until_pong(subfd[i]);
  }
  if (subs && subport != port) usleep(500000);
  for (int i = 0; i < subs; i++) pthread_create(&th[i], NULL, subscriber, (void *)(intptr_t)i);
  for (int i = 0; i < pubs; i++) pthread_create(&th[subs + i], NULL, publisher, (void *)(intptr_t)i);
  t_start = now(); double c0 = cpu_of(pid); pthread_barrier_wait(&go); t_start = now();
  for (int i = 0; i < pubs + subs; i++) pthread_join(th[i], NULL);
  double dt = now() - t_start, c1 = cpu_of(pid); long long published = (long long)msgs * pubs, deliv = delivered;
  printf("{\"mode\":\"throughput\",\"pubs\":%d,\"subs\":%d,\"size\":%d,\"rotate\":%d,\"headers\":%d,\"msgs\":%lld,\"seconds\":%.3f,\"pub_msgs_per_s\":%.0f,\"deliveries_per_s\":%.0f,\"mb_per_s\":%.1f,\"server_cpu_us_per_msg\":%.3f,\"server_rss_kb\":%ld}\n",
         pubs, subs, size, rotate, headers, published, dt, published / dt, deliv / dt, (published + deliv) * (double)size / dt / 1e6, (c1 - c0) * 1e6 / (published + deliv), rss_of(pid));
  return 0;
}
