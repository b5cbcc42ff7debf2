// References to objects of Python, for loops that are timed: pybind11 would double the time that
// they take to compile.
#pragma once

#include <Python.h>

#include <exception>
#include <utility>

namespace stratoperf::bindings {

// A call of Python failed, and its exception is set.
struct PythonError : std::exception {};

// Owns a reference, or nothing. Every method but moving needs the GIL.
class Object {
 public:
  Object() = default;
  // Takes a new reference over; throws PythonError where the call that made it gave none.
  static Object steal(PyObject* object) {
    if (object == nullptr) {
      throw PythonError();
    }
    return Object(object);
  }
  // Adds a reference.
  static Object borrow(PyObject* object) {
    Py_XINCREF(object);
    return Object(object);
  }
  Object(const Object& other) : object_(other.object_) { Py_XINCREF(object_); }
  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Object() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  explicit Object(PyObject* object) : object_(object) {}

  PyObject* object_ = nullptr;
};

}  // namespace stratoperf::bindings
