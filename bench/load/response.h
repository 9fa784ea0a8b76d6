// Reads one HTTP/1.x response out of bytes as they come: status and framing, no body. Enough for servers that mean well.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

enum { HEAD_SIZE = 16 << 10 };
enum part { HEAD, COUNTED, UNTIL_CLOSE, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, DONE };

struct response {
  enum part part;
  int status;
  bool closing;          // the server says that it closes afterwards
  uint64_t remaining;    // bytes of the body or the chunk still to come
  size_t head_length;    // bytes in head; of the current line between chunks
  char head[HEAD_SIZE + 1];
};

static void response_begin(struct response *r) {
  r->part = HEAD;
  r->head_length = 0;
  r->closing = false;
}

static bool has_token(const char *value, const char *end, const char *token) {
  size_t length = strlen(token);
  for (; value + length <= end; value++)
    if (strncasecmp(value, token, length) == 0) return true;
  return false;
}

// Reads status and framing out of a whole head; false when it is none.
static bool parse_head(struct response *r, const char *end) {
  if (sscanf(r->head, "HTTP/1.%*1[01] %3d", &r->status) != 1) return false;
  r->part = r->status == 204 || r->status == 304 ? DONE : UNTIL_CLOSE;
  for (const char *line = strstr(r->head, "\r\n") + 2; line < end; line = strstr(line, "\r\n") + 2) {
    const char *stop = strstr(line, "\r\n");
    if (strncasecmp(line, "content-length:", 15) == 0) {
      r->remaining = strtoull(line + 15, NULL, 10);
      r->part = r->remaining == 0 ? DONE : COUNTED;
    } else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
      r->part = CHUNK_SIZE;
    } else if (strncasecmp(line, "connection:", 11) == 0) {
      r->closing = has_token(line + 11, stop, "close");
    }
  }
  return true;
}

// Adds bytes to head until `mark` is there; gives how many it took, or -1 when the head is too long.
static ssize_t gather(struct response *r, const char *data, size_t n, const char *mark, bool *whole) {
  size_t old = r->head_length, width = strlen(mark);
  size_t room = HEAD_SIZE - old, take = n < room ? n : room;
  memcpy(r->head + old, data, take);
  r->head[old + take] = 0;
  const char *found = memmem(r->head, old + take, mark, width);
  *whole = found != NULL;
  r->head_length = found ? (size_t)(found - r->head) + width : old + take;
  if (!found && take == room) return -1;
  return found ? (ssize_t)(r->head_length - old) : (ssize_t)take;
}

// One step through received bytes; gives how many it took, or -1 on a response that makes no sense.
static ssize_t response_take(struct response *r, const char *data, size_t n) {
  bool whole;
  if (r->part == DONE) return -1;
  if (r->part == UNTIL_CLOSE) return (ssize_t)n;
  if (r->part == COUNTED || r->part == CHUNK_DATA) {
    size_t take = n < r->remaining ? n : r->remaining;
    if ((r->remaining -= take) == 0) r->part = r->part == COUNTED ? DONE : CHUNK_END;
    return (ssize_t)take;
  }
  ssize_t taken = gather(r, data, n, r->part == HEAD ? "\r\n\r\n" : "\r\n", &whole);
  if (taken < 0 || !whole) return taken;
  size_t length = r->head_length;
  r->head_length = 0;
  r->head[length] = 0;
  if (r->part == HEAD) {
    if (!parse_head(r, r->head + length - 2)) return -1;
    if (r->status < 200) r->part = HEAD;
  } else if (r->part == CHUNK_SIZE) {
    r->remaining = strtoull(r->head, NULL, 16);
    r->part = r->remaining ? CHUNK_DATA : TRAILER;
  } else if (r->part == CHUNK_END) {
    r->part = CHUNK_SIZE;
  } else if (length == 2) {
    r->part = DONE;
  }
  return taken;
}
