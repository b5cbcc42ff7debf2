// Hands a checksum over to stratoperf as an operation, see stratoperf/operation.h.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "crc32c.hpp"
#include "stratoperf/operation.h"

namespace {

struct Work {
  stratoperf_operation operation{};  // what the capsule points at
  std::vector<unsigned char> data;
  checksums::Crc32c crc32c = nullptr;
  std::uint64_t iterations = 0;
  std::uint32_t last = 0;
  std::string message;
};

Work& work_of(void* state) { return *static_cast<Work*>(state); }

// Timed: nothing but the work.
int run(void* state, std::uint64_t n) {
  auto& work = work_of(state);
  const std::atomic_ref<std::int32_t> stop(work.operation.stop);
  for (std::uint64_t i = 0; i < n && stop.load(std::memory_order_relaxed) == 0; ++i) {
    // Other data each time: the compiler cannot leave an iteration out.
    ++work.iterations;
    std::memcpy(work.data.data(), &work.iterations, sizeof work.iterations);
    work.last = work.crc32c(work.data.data(), work.data.size());
  }
  return 0;
}

// Not timed. What it does not accept is never shown as a speed.
int verify(void* state, std::uint64_t* checked) {
  auto& work = work_of(state);
  *checked = work.iterations != 0 ? 1 : 0;
  const std::uint32_t expected = checksums::by_definition(work.data.data(), work.data.size());
  if (*checked == 0 || work.last == expected) {
    return 0;
  }
  work.message = "the checksum of " + std::to_string(work.data.size()) + " bytes is " +
                 std::to_string(work.last) + ", expected " + std::to_string(expected);
  return 1;
}

const char* message(void* state) { return work_of(state).message.c_str(); }

void destroy(void* state) { delete static_cast<Work*>(state); }

void destroy_capsule(PyObject* capsule) {
  auto* operation = static_cast<stratoperf_operation*>(
      PyCapsule_GetPointer(capsule, STRATOPERF_OPERATION_CAPSULE));
  operation->destroy(operation->state);
}

PyObject* make_operation(PyObject*, PyObject* arguments) {
  Py_ssize_t size = 0;
  int use_instruction = 0;
  if (PyArg_ParseTuple(arguments, "np", &size, &use_instruction) == 0) {
    return nullptr;
  }
  if (size < static_cast<Py_ssize_t>(sizeof(std::uint64_t))) {
    return PyErr_Format(PyExc_ValueError, "size: expected at least 8 bytes, got %zd", size);
  }
  const char* problem = use_instruction != 0 ? checksums::instruction_problem() : nullptr;
  if (problem != nullptr) {
    PyErr_SetString(PyExc_RuntimeError, problem);
    return nullptr;
  }
  try {
    auto work = std::make_unique<Work>();
    work->data.resize(static_cast<std::size_t>(size), 0x5a);
    work->crc32c = use_instruction != 0 ? checksums::by_instruction : checksums::by_table;
    work->operation.struct_size = sizeof(stratoperf_operation);
    work->operation.state = work.get();
    work->operation.run = run;
    work->operation.verify = verify;
    work->operation.message = message;
    work->operation.destroy = destroy;
    PyObject* capsule =
        PyCapsule_New(&work->operation, STRATOPERF_OPERATION_CAPSULE, destroy_capsule);
    if (capsule != nullptr) {
      work.release();  // the capsule's destructor deletes it
    }
    return capsule;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* instruction_problem(PyObject*, PyObject*) {
  return Py_BuildValue("z", checksums::instruction_problem());
}

PyObject* crc32c(PyObject*, PyObject* arguments) {
  Py_buffer data;
  if (PyArg_ParseTuple(arguments, "y*", &data) == 0) {
    return nullptr;
  }
  const auto crc = checksums::by_table(static_cast<const unsigned char*>(data.buf),
                                       static_cast<std::size_t>(data.len));
  PyBuffer_Release(&data);
  return PyLong_FromUnsignedLong(crc);
}

PyMethodDef functions[] = {
    {"operation", make_operation, METH_VARARGS, "The CRC-32C of some bytes, as a capsule."},
    {"instruction_problem", instruction_problem, METH_NOARGS, "Why there is no instruction."},
    {"crc32c", crc32c, METH_VARARGS, "Return the CRC-32C of bytes."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", nullptr, 0, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() { return PyModule_Create(&definition); }
