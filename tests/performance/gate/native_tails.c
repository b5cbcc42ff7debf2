/* Work of which a share takes longer than the rest: by more work, by pages that are not there yet,
 * or by a lock that another thread holds. Built by tails.py. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "stratoperf/operation.h"

enum { PLANTED, FAULTING, LOCKED };

enum {
  STEPS = 20000, /* of the chain: some 30 us */
  PAGES = 64,    /* of an allocation */
  PAGE = 4096,
  HELD_STEPS = 60000, /* while the lock is held: some 100 us */
};

typedef struct {
  stratoperf_operation operation;
  int kind;
  uint64_t per_mille; /* iterations that take longer */
  uint64_t value;
  uint64_t steps;
  uint64_t random;
  uint64_t runs;
  char* pages;
  pthread_mutex_t lock;
  sem_t wanted; /* by the other thread */
  uint64_t shared;
} tailed_work;

static uint64_t spin(uint64_t value, uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
  }
  return value;
}

static void touch(char* pages) {
  for (size_t i = 0; i < PAGES; ++i) {
    *(volatile char*)(pages + i * PAGE) = 1;
  }
}

static int run_once(tailed_work* self) {
  /* By chance, so that nothing keeps step with it. */
  self->random = spin(self->random, 1);
  const int is_long = self->random % 1000 < self->per_mille;
  if (self->kind == LOCKED && is_long) {
    /* The other thread takes the lock meanwhile. */
    sem_post(&self->wanted);
  }
  uint64_t steps = STEPS;
  if (self->kind == PLANTED && is_long) {
    steps *= 2;
  }
  self->value = spin(self->value, steps);
  self->steps += steps;
  if (self->kind == FAULTING) {
    char* pages = self->pages;
    if (is_long) {
      pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (pages == MAP_FAILED) {
        return 1;
      }
    }
    touch(pages);
    if (is_long) {
      munmap(pages, PAGES * PAGE);
    }
  }
  if (self->kind == LOCKED) {
    pthread_mutex_lock(&self->lock);
    self->shared += 1;
    pthread_mutex_unlock(&self->lock);
  }
  return 0;
}

static int run(void* state, uint64_t n) {
  tailed_work* self = state;
  for (uint64_t i = 0; i < n; ++i) {
    if (run_once(self) != 0) {
      return 1;
    }
  }
  self->runs += n;
  return 0;
}

/* The chain from its start: the same end, or the work was not done. */
static int verify(void* state, uint64_t* checked) {
  tailed_work* self = state;
  *checked = self->runs;
  return spin(1, self->steps) != self->value;
}

/* Holds the lock whenever that is wanted, and sleeps otherwise. */
static void* hold(void* state) {
  tailed_work* self = state;
  for (;;) {
    if (sem_wait(&self->wanted) == 0) {
      pthread_mutex_lock(&self->lock);
      /* What is stored must be computed. */
      self->shared = spin(self->shared | 1, HELD_STEPS);
      pthread_mutex_unlock(&self->lock);
    }
  }
  return NULL;
}

stratoperf_operation* make_tailed_work(int kind, uint64_t per_mille) {
  tailed_work* self = calloc(1, sizeof(*self));
  if (self == NULL) {
    return NULL;
  }
  self->operation.struct_size = sizeof(self->operation);
  self->operation.state = self;
  self->operation.run = run;
  self->operation.verify = verify;
  self->kind = kind;
  self->per_mille = per_mille;
  self->value = 1;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  self->random = 88172645463325252u ^ (uint64_t)now.tv_nsec << 20;
  self->pages = aligned_alloc(PAGE, PAGES * PAGE);
  if (self->pages == NULL) {
    return NULL;
  }
  touch(self->pages);
  pthread_mutex_init(&self->lock, NULL);
  sem_init(&self->wanted, 0, 0);
  /* It lives as long as the process does. */
  pthread_t holder;
  if (kind == LOCKED && per_mille != 0 && pthread_create(&holder, NULL, hold, self) != 0) {
    return NULL;
  }
  return &self->operation;
}
