/* A module of another package: it links against nothing of stratoperf and hands over operations
 * in capsules, as stratoperf/operation.h describes. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdlib.h>

#include "stratoperf/operation.h"

typedef struct {
  stratoperf_operation operation; /* first: the capsule points at it */
  uint64_t iterations;
  uint64_t fail_after;
  int wrong;
  double device_ns; /* what the device's clock says of an iteration; 0 for a clock that fails */
} foreign;

static int destroyed = 0;

static int count(void* state, uint64_t n) {
  foreign* self = state;
  self->iterations += n;
  return self->fail_after != 0 && self->iterations > self->fail_after;
}

static int spin(void* state, uint64_t n) {
  foreign* self = state;
  (void)n;
  while (__atomic_load_n(&self->operation.stop, __ATOMIC_RELAXED) == 0) {
  }
  return 0;
}

static int device_time(void* state, uint64_t n, double* device_ns) {
  foreign* self = state;
  self->iterations += n;
  *device_ns = self->device_ns * (double)n;
  return self->device_ns == 0;
}

static int check(void* state, uint64_t* checked) {
  foreign* self = state;
  *checked = self->iterations;
  return self->wrong;
}

static const char* explain(void* state) {
  foreign* self = state;
  return self->wrong ? "the count is off" : "the device is gone";
}

static void forget(void* state) {
  (void)state;
  ++destroyed;
}

static void destroy_capsule(PyObject* capsule) {
  foreign* self = PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
  self->operation.destroy(self->operation.state);
  free(self);
}

static PyObject* make(PyObject* module, PyObject* arguments, PyObject* keywords) {
  static char* names[] = {"spin",        "fail_after", "wrong", "misnamed",
                          "struct_size", "device_ns",  NULL};
  int spins = 0;
  double device_ns = -2;
  unsigned long long fail_after = 0;
  int wrong = 0;
  int misnamed = 0;
  unsigned int struct_size = sizeof(stratoperf_operation);
  (void)module;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|$pKppId", names, &spins, &fail_after,
                                   &wrong, &misnamed, &struct_size, &device_ns)) {
    return NULL;
  }
  foreign* self = calloc(1, sizeof *self);
  if (self == NULL) {
    return PyErr_NoMemory();
  }
  self->fail_after = fail_after;
  self->wrong = wrong;
  self->operation.struct_size = struct_size;
  self->operation.state = self;
  self->operation.run = spins ? spin : count;
  self->operation.verify = check;
  self->device_ns = device_ns;
  self->operation.device_time = device_ns != -2 ? device_time : NULL;
  self->operation.message = explain;
  self->operation.destroy = forget;
  return PyCapsule_New(self, misnamed ? "foreign.thing" : STRATOPERF_OPERATION_CAPSULE,
                       destroy_capsule);
}

static PyObject* count_destroyed(PyObject* module, PyObject* unused) {
  (void)module;
  (void)unused;
  return PyLong_FromLong(destroyed);
}

static PyMethodDef functions[] = {
    {"make", (PyCFunction)(void (*)(void))make, METH_VARARGS | METH_KEYWORDS, "An operation."},
    {"destroyed", count_destroyed, METH_NOARGS, "How many operations were destroyed."},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "foreign", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_foreign(void) {
  PyObject* module = PyModule_Create(&definition);
  /* The size of the structure in the first version of the header. */
  if (module != NULL) {
    PyModule_AddIntConstant(module, "FIRST_SIZE", offsetof(stratoperf_operation, device_time));
  }
  return module;
}
