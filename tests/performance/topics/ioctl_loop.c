/* The loop that one writes by hand to time a command: asks a pipe how many bytes it holds. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nanoseconds of each of `blocks` blocks of `calls` calls; returns 0, or -1 for a wrong reply. */
int time_ioctl(int64_t* blocks_ns, int blocks, int calls) {
  int ends[2];
  const char content[1234] = {0};
  int failed = 0;
  if (pipe(ends) != 0 || write(ends[1], content, sizeof(content)) != sizeof(content)) {
    return -1;
  }
  for (int block = 0; block < blocks; ++block) {
    const int64_t start = now_ns();
    for (int call = 0; call < calls; ++call) {
      int bytes = -1;
      if (ioctl(ends[0], FIONREAD, &bytes) != 0 || bytes != sizeof(content)) {
        failed = -1;
      }
    }
    blocks_ns[block] = now_ns() - start;
  }
  close(ends[0]);
  close(ends[1]);
  return failed;
}
