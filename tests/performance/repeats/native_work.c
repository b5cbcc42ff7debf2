/* Six kinds of native work, each with another reason to take another time in the next process. */
#define _GNU_SOURCE

#include "native_work.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kSpinSteps = 1000, kHops = 100, kBlocks = 64, kPage = 4096 };

/* 64 MiB in lines of 64 bytes: larger than what caches of a core hold. */
enum { kLines = 1 << 20, kWordsPerLine = 8 };

static uint64_t next_random(uint64_t value) {
  value ^= value << 13;
  value ^= value >> 7;
  value ^= value << 17;
  return value;
}

/* A chain of dependent instructions. */
static int spin(void* state, uint64_t n) {
  uint64_t* value = state;
  for (uint64_t i = 0; i < n * kSpinSteps; ++i) {
    *value = next_random(*value);
  }
  return 0;
}

static void* make_seed(void) {
  uint64_t* value = malloc(sizeof(*value));
  if (value != NULL) {
    *value = 1;
  }
  return value;
}

/* Loads from memory, of which each tells where the next one is. */
typedef struct {
  uint64_t* lines;
  uint64_t at;
} ring;

static int chase(void* state, uint64_t n) {
  ring* self = state;
  for (uint64_t i = 0; i < n * kHops; ++i) {
    self->at = self->lines[self->at * kWordsPerLine];
  }
  return 0;
}

/* One cycle through all lines in random order (Sattolo's algorithm). */
static void* make_ring(void) {
  ring* self = malloc(sizeof(*self));
  uint64_t* lines = aligned_alloc(kPage, (size_t)kLines * kWordsPerLine * sizeof(*lines));
  if (self == NULL || lines == NULL) {
    return NULL;
  }
  for (uint64_t i = 0; i < kLines; ++i) {
    lines[i * kWordsPerLine] = i;
  }
  uint64_t random = 1;
  for (uint64_t i = kLines - 1; i > 0; --i) {
    random = next_random(random);
    const uint64_t other = random % i;
    const uint64_t kept = lines[i * kWordsPerLine];
    lines[i * kWordsPerLine] = lines[other * kWordsPerLine];
    lines[other * kWordsPerLine] = kept;
  }
  self->lines = lines;
  self->at = 0;
  return self;
}

/* Blocks of 16 to 4096 bytes, freed in another order than they were asked for. */
static int allocate(void* state, uint64_t n) {
  char** blocks = state;
  for (uint64_t i = 0; i < n; ++i) {
    for (size_t block = 0; block < kBlocks; ++block) {
      blocks[block] = malloc((size_t)16 << (block % 9));
      if (blocks[block] == NULL) {
        return 1;
      }
      blocks[block][0] = 1;
    }
    for (size_t block = 0; block < kBlocks; ++block) {
      free(blocks[block * 7 % kBlocks]);
    }
  }
  return 0;
}

static void* make_blocks(void) { return calloc(kBlocks, sizeof(char*)); }

static int call_system(void* state, uint64_t n) {
  uint64_t* last = state;
  for (uint64_t i = 0; i < n; ++i) {
    *last = (uint64_t)syscall(SYS_getppid);
  }
  return 0;
}

/* A page that is on the disk when the iteration ends. */
typedef struct {
  int file;
  char page[kPage];
} page_writer;

static int write_page(void* state, uint64_t n) {
  page_writer* self = state;
  for (uint64_t i = 0; i < n; ++i) {
    self->page[0] = (char)i;
    if (pwrite(self->file, self->page, kPage, 0) != kPage || fdatasync(self->file) != 0) {
      return 1;
    }
  }
  return 0;
}

/* In /var/tmp, which is a disk where /tmp is often memory; without a name, it ends with us. */
static void* make_page_writer(void) {
  page_writer* self = calloc(1, sizeof(*self));
  char name[] = "/var/tmp/stratoperf-repeats-XXXXXX";
  if (self == NULL || (self->file = mkstemp(name)) < 0) {
    return NULL;
  }
  return unlink(name) == 0 ? self : NULL;
}

static void* do_nothing(void* argument) { return argument; }

static int start_thread(void* state, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, state) != 0 || pthread_join(thread, NULL) != 0) {
      return 1;
    }
  }
  return 0;
}

typedef struct {
  const char* name;
  void* (*make)(void);
  int (*run)(void* state, uint64_t n);
} kind;

static const kind kKinds[] = {
    {"native", make_seed, spin},
    {"memory", make_ring, chase},
    {"allocation", make_blocks, allocate},
    {"syscall", make_seed, call_system},
    {"file", make_page_writer, write_page},
    {"threads", make_seed, start_thread},
};

stratoperf_operation* make_operation(const char* name) {
  for (size_t i = 0; i < sizeof(kKinds) / sizeof(kKinds[0]); ++i) {
    if (strcmp(kKinds[i].name, name) == 0) {
      stratoperf_operation* made = calloc(1, sizeof(*made));
      if (made == NULL || (made->state = kKinds[i].make()) == NULL) {
        return NULL;
      }
      made->struct_size = sizeof(*made);
      made->run = kKinds[i].run;
      return made;
    }
  }
  return NULL;
}

int run_operation(stratoperf_operation* operation, uint64_t n) {
  return operation->run(operation->state, n);
}
