// What the binding files share: the only place, with its siblings, that sees pybind11.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <span>
#include <vector>

#include "core/operation.hpp"

namespace stratoperf {
class Histogram;
}

namespace stratoperf::bindings {

namespace py = pybind11;

// One per topic of the instrument; module.cpp calls them.
void register_errors(py::module_& module);
void register_histogram(py::module_ module);
void register_operation(py::module_ module);
void register_perf_counters(py::module_ module);
void register_clock(py::module_ module);
void register_reference(py::module_ module);
void register_sampler(py::module_ module);
void register_statistics(py::module_ module);

// Wraps an operation in the capsule of stratoperf/operation.h. `keep_alive` (may be None) is
// released together with the operation: whatever owns the memory that it reads.
py::capsule operation_capsule(std::unique_ptr<Operation> operation, py::object keep_alive);

// The operation inside a capsule; throws InvalidParameter for anything else.
stratoperf_operation& operation_from(const py::object& capsule);

// The histogram inside a Python object. Not locked: the caller must be its only user meanwhile.
Histogram& histogram_from(const py::object& histogram);

// A one-dimensional C-contiguous array of T, without a copy. Throws InvalidParameter that names
// the argument otherwise: silent conversions would hide what was measured.
template <typename T>
std::span<const T> view(const py::array& array, const char* argument);

// Moves a vector into a read-only NumPy array.
template <typename T>
py::array_t<T> to_array(std::vector<T> values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  std::vector<T>& data = *owner;
  py::capsule base(owner.release(),
                   [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  py::array_t<T> array(static_cast<py::ssize_t>(data.size()), data.data(), base);
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

[[noreturn]] void throw_invalid_array(const py::array& array, const char* argument,
                                      const std::string& dtype);

template <typename T>
std::span<const T> view(const py::array& array, const char* argument) {
  const bool fits = array.ndim() == 1 && array.dtype().is(py::dtype::of<T>()) &&
                    (array.flags() & py::array::c_style) != 0;
  if (!fits) {
    throw_invalid_array(array, argument, py::str(py::dtype::of<T>()).cast<std::string>());
  }
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

}  // namespace stratoperf::bindings
