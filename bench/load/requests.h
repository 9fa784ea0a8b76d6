// The requests to send, out of a file that holds each after a line with its length in bytes.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct request { const char *bytes; size_t length; };
struct request_list { struct request *all; size_t count; };

static void fail(const char *what) {
  fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

// The file stays mapped, and the requests point into it.
static struct request_list read_requests(const char *file) {
  struct request_list list = {0};
  struct stat info;
  int fd = open(file, O_RDONLY);
  if (fd < 0 || fstat(fd, &info) < 0) fail(file);
  const char *at = mmap(NULL, (size_t)info.st_size + 1, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0), *end = at + info.st_size;
  if (at == MAP_FAILED) fail(file);
  close(fd);
  for (size_t room = 0; at < end; list.count++) {
    char *bytes;
    size_t length = strtoul(at, &bytes, 10);
    if (*bytes++ != '\n' || length == 0 || bytes + length > end) errno = 0, fail("bad request file");
    if (list.count == room) list.all = realloc(list.all, (room = room * 2 + 64) * sizeof *list.all);
    list.all[list.count] = (struct request){bytes, length};
    at = bytes + length;
  }
  if (list.count == 0) errno = 0, fail("no requests");
  return list;
}
